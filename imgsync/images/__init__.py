"""Images as files and URLs: where they come from, how they are served, fetched and kept."""

"""The channel of pictures: who has them, who wants them, and how fast they may go out."""

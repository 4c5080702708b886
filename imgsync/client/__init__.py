"""The client: joins sessions and follows them. `python -m imgsync.client`."""

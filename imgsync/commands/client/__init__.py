"""`python -m imgsync.client`."""

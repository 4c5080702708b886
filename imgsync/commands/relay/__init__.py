"""`python -m imgsync.relay`."""

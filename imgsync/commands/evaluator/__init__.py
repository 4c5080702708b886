"""`python -m imgsync.evaluator`."""

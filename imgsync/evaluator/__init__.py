"""The evaluator: starts sessions, shows images, serves them. `python -m imgsync.evaluator`."""

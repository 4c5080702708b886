"""Sample stimuli in natural order, ready to show; `draw.py` draws every one of them."""

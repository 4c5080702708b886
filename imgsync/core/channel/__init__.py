"""What the two sides of an open channel say to each other, and when."""

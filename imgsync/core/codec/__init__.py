"""Text from outside to messages, strictly, and back."""

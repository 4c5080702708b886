"""What the relay decides: who may register, which sessions live, who may signal whom."""

"""What a study asks for, and whether it can be had: no I/O."""

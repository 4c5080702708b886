"""The record of a session: written while it happens, read back by whoever asks later."""

"""Decides: no async, no I/O, no clock. Time, ids and randomness come in as arguments."""

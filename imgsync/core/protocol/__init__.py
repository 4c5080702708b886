"""The vocabulary of both wires and what goes with it: messages, errors, states."""

"""What both peers share: signalling that comes back, the session over `core.handshake`."""

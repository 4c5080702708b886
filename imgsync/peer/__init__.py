"""What both peers share: signalling that comes back, and the session that drives `core.peer`."""

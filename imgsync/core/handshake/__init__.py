"""How two peers come to a connection, and to another one when it is lost."""

"""The home of trio-websocket and h11: one port for WebSocket and HTTP, bounded connects."""

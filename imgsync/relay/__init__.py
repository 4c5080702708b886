"""The relay: passes on the WebRTC handshake and nothing else. `python -m imgsync.relay`."""

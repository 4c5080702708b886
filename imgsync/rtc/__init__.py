"""The home of asyncio, anyio and aiortc: the bridge, the peer connection, trickle ICE."""

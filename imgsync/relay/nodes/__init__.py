"""What the nodes of a relay share, on Redis; `imgsync.core.relay.nodes.store` says what it is.

Nothing of it is loaded by a relay that is alone.
"""

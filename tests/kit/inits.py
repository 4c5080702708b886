"""INITs of SCTP as they stand in descriptions, and what is none."""

import base64
import struct

CHROMIUM_INIT = "AQAAHgmherUAUAAA/////1IJ3IvAAAAEgAgABoLA"


def make_init(
    *,
    kind: int = 1,
    extra: int = 0,
    tag: int = 7,
    window: int = 1500,
    outbound: int = 1,
    inbound: int = 1,
    behind: bytes = b"",
) -> str:
    """:param extra: by how much the length that it names is off."""
    length = 20 + len(behind) + extra
    head = struct.pack("!BBHLLHHL", kind, 0, length, tag, window, outbound, inbound, 9)
    return base64.b64encode(head + behind).decode()


NO_INITS = {
    "nothing": "",
    "not base64": "CookieMonster!",
    "without its end": CHROMIUM_INIT[:-1],
    "too short": "AQAAFA==",
    "too long": make_init(behind=struct.pack("!HH", 5, 400) + bytes(396)),
    "another chunk": make_init(kind=2),
    "longer than it is": make_init(extra=1),
    "shorter than it is": make_init(extra=-4),
    "no tag": make_init(tag=0),
    "a small window": make_init(window=1499),
    "no stream out": make_init(outbound=0),
    "no stream in": make_init(inbound=0),
    "half a parameter": make_init(behind=bytes(2)),
    "an empty parameter": make_init(behind=bytes(4)),
    "a parameter beyond its end": make_init(behind=struct.pack("!HH", 5, 9) + bytes(4)),
}

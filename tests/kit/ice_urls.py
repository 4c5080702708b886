"""URLs of ICE servers, right ones and wrong ones; what browsers make of each was tried in both."""

RIGHT = {
    "stun:h": "stun:h:3478",
    "STUN:h:19302": "stun:h:19302",
    "stun:[::1]": "stun:[::1]:3478",
    "turn:h": "turn:h:3478?transport=udp",
    "Turn:H.Example": "turn:H.Example:3478?transport=udp",
    "turn:h:443": "turn:h:443?transport=udp",
    "turn:h:03478?transport=udp": "turn:h:3478?transport=udp",
    "turn:h:65535?transport=tcp": "turn:h:65535?transport=tcp",
    "turn:192.0.2.1:53": "turn:192.0.2.1:53?transport=udp",
    "turn:a_b-c.example.": "turn:a_b-c.example.:3478?transport=udp",
    "turn:xn--bcher-kva.example": "turn:xn--bcher-kva.example:3478?transport=udp",
    f"turn:{'a' * 63}.example": f"turn:{'a' * 63}.example:3478?transport=udp",
    "turn:[fd00::1]": "turn:[fd00::1]:3478?transport=udp",
    "turn:[fd00::1]:3478": "turn:[fd00::1]:3478?transport=udp",
    "turn:[FD00::1]:80?transport=tcp": "turn:[FD00::1]:80?transport=tcp",
    "turn:[::ffff:192.0.2.1]": "turn:[::ffff:192.0.2.1]:3478?transport=udp",
    "turns:h": "turns:h:5349?transport=tcp",
    "turns:h:443?transport=tcp": "turns:h:443?transport=tcp",
    "turns:h?transport=udp": "turns:h:5349?transport=udp",
    "turns:[2001:db8::7]:443": "turns:[2001:db8::7]:443?transport=tcp",
}
"""With all that is understood."""

WRONG: dict[str, tuple[str, ...]] = {
    "stun:HOST:PORT, turn:HOST:PORT or turns:HOST:PORT": (
        *("", " ", "h", "h:3478", "//h", "turn", "turn h", "http://h", "turnx:h", "udp:h"),
        *(" turn:h", "tu\nrn:h", "\u017ftun:h"),
    ),
    "Firefox refuses stuns": ("stuns:h", "stuns:h:5349", "stuns:"),
    "no slash": ("turn://h:3478", "turn:/h", "stun://h", "turns:///", "turn:///h"),
    "user name and credential are given beside it": (
        *("turn:u@h", "turn:u:p@h:3478", "stun:u@h", "turn:@h", "turn:h@"),
    ),
    "nothing stands behind the port of a STUN server": (
        *("stun:h?", "stun:h?transport=udp", "stun:h:3478?transport=tcp", "stun:h?x=y"),
    ),
    r"\?transport=udp or \?transport=tcp, in small letters": (
        *("turn:h?", "turn:h?transport", "turn:h?transport=", "turn:h?transport=tls"),
        *("turn:h?transport=dtls", "turn:h?transport=TCP", "turn:h?Transport=tcp"),
        *("turn:h?transport=tcp&x=y", "turn:h?x=y&transport=tcp", "turn:h?proto=tcp"),
        *("turn:h?transport=tcp?transport=udp", "turn:h?transport=tcp#x", "turns:h?transport=tls"),
        *("turn:h?transport=tcp ", "turn:h? transport=tcp", "turn:h?transport=tcp\n"),
    ),
    "no number from 1 to 65535": (
        *("turn:h:", "stun:h:", "turn:h:0", "turn:h:00", "stun:h:0", "turn:h:65536"),
        *("turn:h:99999", "turn:h:123456", "turn:h:-1", "turn:h:+1", "turn:h:3478x", "turn:h:0x50"),
        *("turn:h:1.5", "turn:h:3478/", "turn:h: 3478", "turn:h:3478 ", "turn:[::1]:"),
        *("turn:[::1]:99999", "turn:h:\u0663", "turn:h:3478\n"),
    ),
    "browsers refuse its port": ("turn:h:25", "stun:h:5060", "turns:[::1]:6667?transport=tcp"),
    "names no host": ("stun:", "turn:", "turns:", "turn::3478", "turn:?transport=udp"),
    "stands in brackets": (
        *("turn:fd00::1", "turn:2001:db8::1:3478", "turn:h:1:2", "turn:[fd00::1", "turn:::"),
        *("turn:fd00::1]:3478", "turn:[::1]3478", "turn:[fe80::1%25eth0]", "turn:[fe80::1%eth0]"),
        *("turn:[::g]", "turn:[h]", "turn:[v1.a]", "turn:x[::1]"),
    ),
    "no IPv6 address": (
        *("turn:[]", "turn:[]:3478", "turn:[1.2.3.4]", "turn:[1::2::3]", "turn:[:1]"),
        *("turn:[1:2:3:4:5:6:7:8:9]", "turn:[12345::]", "stun:[::256.1.1.1]"),
    ),
    "neither a name": (
        *(
            "turn:h/",
            "turn:h/path",
            "turn:h\\x",
            "turn:h#x",
            "turn:h h",
            "turn: h",
            "turn:h ",
            "turn:h\n",
        ),
        *(
            "turn:h\t",
            "turn:h\0",
            "turn:h\x7f",
            "turn:h\u00a0",
            "turn:h%20x",
            "turn:h%zz",
            "turn:h%",
        ),
        *(
            "turn:%68",
            "turn:a..b",
            "turn:.a",
            "turn:.",
            "turn:a*b",
            "turn:a|b",
            "turn:a<b>",
            'turn:a"b',
        ),
        *("turn:a,b", "turn:b\u00fccher.example", "turn:\uff11.2.3.4", "turn:h\u200b"),
        *(f"turn:{'a' * 64}.example", f"turn:{'a.' * 127}a"),
    ),
    "no IPv4 address": (
        *("turn:256.1.1.1", "turn:999.999.999.999:3478", "turn:1.2.3", "turn:1.2.3.4.5", "turn:1"),
        *("turn:01.2.3.4", "turn:0x7f.1", "turn:a.123", "stun:a.0x1f", "turn:1.2.3.4."),
    ),
}
"""By what is told of them."""

"""Of the same ICE servers both languages ask the same ones, and find the same ones wrong."""

from __future__ import annotations

from typing import Any

from imgsync.core.protocol.errors import InputError
from imgsync.core.protocol.ice import choose_ice, parse_ice_url
from imgsync.core.protocol.signalling import IceServer
from tests.both_languages.replay import Replay, dice_of
from tests.kit.ice_urls import RIGHT, WRONG

SCHEMES = ["turn"] * 5 + [
    "turns",
    "turns",
    "stun",
    "stuns",
    "TURN",
    "TurnS",
    "",
    "x",
    " turn",
    "\u017ftun",
]
MARKS = [":"] * 9 + ["://", ":/", "", "::"]
USERS = [""] * 12 + ["u@", "u:p@", "@"]
HOSTS = [
    *("h", "h", "H.Example", "a_b", "a-b.c.", "", ".", "a..b", "1.2.3.4", "1.2.3.4.", "0.0.0.0"),
    *("256.1.1.1", "1.2.3", "01.2.3.4", "0x7f.1", "a.1", "a.0x", "a.0xg", "1a", "255.255.255.255"),
    *("[::1]", "[fd00::1]", "[1:2:3:4:5:6:7:8]", "[1:2:3:4:5:6:7::]", "[::2:3:4:5:6:7:8]"),
    *("[::1.2.3.4]", "[::1.2.3.04]", "[::1.2.3]", "[1:2:3:4:5:6:1.2.3.4]", "[:::]", "[1::2::3]"),
    *("[::00001]", "[::1%25x]", "[]", "[", "]", "::1", "%31", "a b", "a\n", "\u00e4", "\u0661"),
    *("a" * 63, "a" * 64, "a." * 126 + "a", "a." * 127, "a." * 127 + "a"),
]
PORTS = [""] * 9 + [
    ":3478",
    ":443",
    ":",
    ":1",
    ":0",
    ":25",
    ":53",
    ":080",
    ":65535",
    ":65536",
    ":123456",
    ":x",
]
QUERIES = [
    *("",) * 9,
    *("?transport=udp", "?transport=tcp", "?transport=TCP", "?transport=tls", "?"),
    *("?transport=", "?x", "?transport=tcp&x", "?transport=tcp\n", "#x", "/", "\n", " "),
]


def parsed(text: str) -> str:
    try:
        return str(parse_ice_url(text))
    except InputError as exc:
        return str(exc).partition(" is no ICE server: ")[2]


def urls_of(name: str) -> list[str]:
    [(_, dice)] = dice_of(name, 1)
    parts = (SCHEMES, MARKS, USERS, HOSTS, PORTS, QUERIES)
    mixed = ["".join(dice.choice(part) for part in parts) for _ in range(6000)]
    plain = [f"turn:{host}{port}" for host in HOSTS for port in PORTS]
    return [*RIGHT, *(url for urls in WRONG.values() for url in urls), *plain, *mixed]


def test_urls_of_ice_servers_are_read_alike(replay: Replay) -> None:
    urls = urls_of("ice urls")
    expected = [parsed(url) for url in urls]
    assert 300 < sum(text.startswith(("stun:", "turn:", "turns:")) for text in expected) < 6000
    replay.compare("iceUrls", urls, expected, "ice urls")


def test_the_same_servers_are_asked(replay: Replay) -> None:
    urls = urls_of("ice choices")
    right = [url for url in urls if parsed(url).startswith(("stun:", "turn:", "turns:"))]
    lists: list[list[dict[str, Any]]] = []
    for _, dice in dice_of("ice choice", 400):
        entries: list[dict[str, Any]] = []
        for _ in range(dice.randrange(5)):
            some = [dice.choice(dice.choice([right, right, right, urls])) for _ in range(4)]
            entry: dict[str, Any] = {"urls": dice.choice([some[: dice.randrange(5)], some[0]])}
            for field in ("username", "credential"):
                if dice.random() < 0.9:
                    entry[field] = dice.choice(["ann", "bob", "", "\u00e4" * 254, "\u00e4" * 255])
            entries.append(entry)
        lists.append(entries)
    expected = [chosen(entries) for entries in lists]
    assert len({len(asked) for asked, _ in expected}) == 6
    replay.compare("iceChoices", lists, expected, "ice choices")


def chosen(entries: list[dict[str, Any]]) -> list[list[Any]]:
    servers = [
        IceServer(
            entry["urls"] if isinstance(entry["urls"], str) else tuple(entry["urls"]),
            entry.get("username"),
            entry.get("credential"),
        )
        for entry in entries
    ]
    choice = choose_ice(servers)
    asked = [
        {
            name: value
            for name, value in [
                ("urls", str(server.url)),
                ("username", server.username),
                ("credential", server.credential),
            ]
            if value is not None
        }
        for server in filter(None, (choice.stun, *choice.turn))
    ]
    left_out = [
        [None if one.is_wrong else one.url, one.why, one.is_wrong] for one in choice.left_out
    ]
    return [asked, left_out]

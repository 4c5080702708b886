"""From the same URLs both languages would fetch, and neither fails in another way."""

from __future__ import annotations

import itertools
from typing import Any

from imgsync.core.protocol.urls import public_url
from imgsync.core.protocol.web_urls import is_web_url
from imgsync.images.refusals import describe_refusal
from tests.both_languages.replay import Replay, dice_of

SCHEMES = ["http", "https", "HtTp", "file", "ftp", "data", "ws", "blob:http", "", " http", "x"]
MARKS = ["://", "://", "://", ":", ":/", ":///", "//", "", ":\\\\"]
USERS = ["", "", "", "@", "u@", "u:p@", "u%40:@", ":@", "a@b@", "u\\@", "\x00@"]
HOSTS = [
    *(
        "h",
        "H.example",
        "127.0.0.1",
        "[::1]",
        "[fe80::1%25lo]",
        "[fe80::1%lo]",
        "[::1",
        "::1",
        "[]",
    ),
    *(
        "",
        "a..b",
        "-",
        "_",
        "%",
        "%31",
        "a b",
        "a\\b",
        "a<b",
        "a^b",
        "a|b",
        "a\tb",
        "\ud800",
        "\u0085",
    ),
    *("\u00e4.example", "\U0001f600.example"),
    *("256.1.1.1", "1.2.3", "1.2.3.4.5", "1.256", "1.2.65536", "4294967296", "4294967295"),
    *("1.2.3.4.", "1.2..", "1..2", "0x7f.1", "0x100.1", "0x", "0x1g", "h.0x", "h.09", "09"),
    *("010.1", "h.1", "1.h", "[v1.x]", "[::1]x", "x[::1]", "[1::2::3]", "[::256.1.1.1]"),
    *("[::1.2.3.4]", "[::g]", "[12345::]"),
]
PORTS = [
    "",
    "",
    "",
    ":",
    ":1",
    ":0",
    ":000",
    ":00080",
    ":65535",
    ":65536",
    ":x",
    ":-1",
    ":1:1",
    ": 1",
]
PATHS = [
    "",
    "/",
    "/7.png",
    "?x",
    "#x",
    "/a b",
    "/\\",
    "/%zz",
    "/\n",
    "/\x7f",
    "/\udc00",
    "/\u00e4",
    "\\x",
]
BARE = [
    "7.png",
    "pictures/7.png",
    "/7.png",
    "//h/7.png",
    "data:image/png;base64,AA==",
    "about:blank",
]


def test_the_same_urls_are_fetched_from(replay: Replay) -> None:
    [(_, dice)] = dice_of("urls", 1)
    parts = (SCHEMES, MARKS, USERS, HOSTS, PORTS, PATHS)
    mixed = ["".join(dice.choice(part) for part in parts) for _ in range(4000)]
    each = [
        "".join(part)
        for part in itertools.chain(
            itertools.product(["http://"], USERS, HOSTS, [""], ["/x"]),
            itertools.product(["https://"], [""], ["h", "[::1]"], PORTS, PATHS),
        )
    ]
    urls = [*BARE, *each, *mixed]
    expected = [is_web_url(url) for url in urls]
    assert 100 < sum(expected) < len(urls) - 100
    replay.compare("urls", urls, expected, "urls")


def test_the_same_of_a_url_may_be_seen(replay: Replay) -> None:
    [(_, dice)] = dice_of("public", 1)
    parts = [
        "http:",
        "//",
        "\\",
        "/",
        "user",
        ":",
        "pass",
        "@",
        "[::1]",
        "h",
        "80",
        "?",
        "#",
        "\n",
        "ä",
    ]
    urls = [*BARE, *("".join(dice.choices(parts, k=dice.randrange(12))) for _ in range(4000))]
    urls += [f"https://{''.join(dice.choices(parts, k=6))}" for _ in range(4000)]
    expected = [public_url(url) for url in urls]
    replay.compare("publicUrls", urls, expected, "public")


def test_what_is_no_url_fails_on_the_page_as_it_does_elsewhere(replay: Replay) -> None:
    urls = [*BARE, "file:///7.png", "http:///7.png", "http://[fe80::1%25lo]/7.png", "http://h:0/"]
    replay.compare("fetches", urls, [["ImageFailed", "bad_url"]] * len(urls), "fetches")


AT = 1_700_000_000_000
REFUSED: list[Any] = [
    [status, f"http://h/a.png{query}", text, AT]
    for status in (403, 400, 407, 404, 500, 302)
    for query, text in [
        ("", ""),
        ("?Expires=1699999000", ""),
        ("?expires=1699999999&signature=x", "<Code>AccessDenied</Code>"),
        ("?Expires=1700000001", "<Code>SignatureDoesNotMatch</Code>"),
        ("?Expires=%31", "<Code>no code</Code>"),
        ("?x=1#?Expires=1", "<Code>A</Code>"),
        ("?X-Amz-Date=20231101T000000Z&X-Amz-Expires=3600", ""),
        ("?X-Goog-Expires=9999999&X-Goog-Date=20231101T000000Z", ""),
        ("?X-Amz-Date=20231301T000000Z&X-Amz-Expires=1", ""),
        ("?X-Amz-Date=20230229T000000Z&X-Amz-Expires=1", ""),
        ("?X-Amz-Date=20231101T240000Z&X-Amz-Expires=1", ""),
        ("?X-Amz-Date=00200101T000000Z&X-Amz-Expires=1", ""),
        ("?se=2023-11-14T22%3A00%3A00Z&sig=x", ""),
        ("?se=2023-11-14T22:00:00.5Z", ""),
        ("?se=tomorrow&&=&a", ""),
    ]
]


def test_why_a_host_refuses_is_known_alike(replay: Replay) -> None:
    told = [describe_refusal(*given) for given in REFUSED]
    assert len(set(told)) > 6
    replay.compare("refusals", REFUSED, told, "refusals")

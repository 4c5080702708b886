"""Which of the ICE servers that the relay names are asked."""

import pytest

from imgsync.core.protocol.signalling import IceServer
from imgsync.rtc.servers import MAX_TURN_SERVERS, TurnServer, choose_stun, choose_turn


@pytest.mark.parametrize(
    ("urls", "chosen"),
    [
        ((), "None"),
        (("turn:turn.example",), "None"),
        (("stuns:stun.example",), "None"),
        (("nonsense", "stun:", "stun:stun.example?transport=udp"), "None"),
        (
            ("turn:turn.example", "stun:one.example", "stun:two.example"),
            "stun:one.example:3478",
        ),
        (("stun:one.example:19302",), "stun:one.example:19302"),
    ],
)
def test_the_first_stun_server_that_can_be_used_is_chosen(
    urls: tuple[str, ...], chosen: str
) -> None:
    assert str(choose_stun([IceServer(urls)])) == chosen
    assert str(choose_stun([IceServer(url) for url in urls])) == chosen


@pytest.mark.parametrize(
    ("urls", "chosen"),
    [
        ((), []),
        (("stun:turn.example", "nonsense", "turn:"), []),
        (("turn:t.example?transport=sctp", "turns:t.example?transport=udp"), []),
        (("turn:t.example",), ["turn:t.example:3478?transport=udp"]),
        (("turns:t.example",), ["turns:t.example:5349?transport=tcp"]),
        (
            ("turns:t.example:443", "turn:t.example?transport=tcp", "turn:t.example:80"),
            [
                "turn:t.example:80?transport=udp",
                "turn:t.example:3478?transport=tcp",
                "turns:t.example:443?transport=tcp",
            ],
        ),
        (
            ("turn:one.example", "turn:two.example"),
            ["turn:one.example:3478?transport=udp", "turn:two.example:3478?transport=udp"],
        ),
    ],
)
def test_turn_servers_that_can_be_used_are_chosen_udp_before_tcp_before_tls(
    urls: tuple[str, ...], chosen: list[str]
) -> None:
    assert [str(server) for server in choose_turn([IceServer(urls)])] == chosen
    assert [str(server) for server in choose_turn([IceServer(url) for url in urls])] == chosen


def test_each_turn_server_keeps_its_own_account() -> None:
    entries = [
        IceServer(("stun:s.example", "turn:a.example", "turns:a.example"), "ann", "her credential"),
        IceServer("turn:b.example"),
    ]
    assert choose_turn(entries) == [
        TurnServer("a.example", 3478, "udp", False, "ann", "her credential"),
        TurnServer("b.example", 3478, "udp", False, None, None),
        TurnServer("a.example", 5349, "tcp", True, "ann", "her credential"),
    ]


def test_a_relay_that_names_many_turn_servers_has_us_ask_a_few() -> None:
    entries = [IceServer(f"turn:{number}.example") for number in range(100)]
    hosts = [server.host for server in choose_turn(entries)]
    assert hosts == [f"{number}.example" for number in range(MAX_TURN_SERVERS)]


def test_neither_form_of_a_turn_server_in_text_shows_its_credential() -> None:
    (server,) = choose_turn([IceServer("turn:t.example", "ann", "her credential")])
    assert "credential=" not in f"{server} {server!r}"
    assert "her credential" not in f"{server} {server!r}"

"""What of the core's choice sockets need."""

import logging

import pytest

from imgsync.core.protocol.signalling import IceServer
from imgsync.rtc.servers import StunServer, TurnServer, choose_servers


def test_the_chosen_servers_come_in_parts() -> None:
    entries = [
        IceServer(("stun:s.example", "turns:[fd00::1]", "turn:a.example"), "ann", "her credential"),
        IceServer("turn:b.example:80?transport=tcp", "bob", "his"),
    ]
    servers = choose_servers(entries)
    assert servers.stun == StunServer("s.example", 3478)
    assert servers.turn == [
        TurnServer("a.example", 3478, "udp", False, "ann", "her credential"),
        TurnServer("b.example", 80, "tcp", False, "bob", "his"),
        TurnServer("fd00::1", 5349, "tcp", True, "ann", "her credential"),
    ]
    assert [str(server) for server in (servers.stun, *servers.turn)] == [
        "stun:s.example:3478",
        "turn:a.example:3478?transport=udp",
        "turn:b.example:80?transport=tcp",
        "turns:[fd00::1]:5349?transport=tcp",
    ]


def test_what_is_left_out_is_logged_by_how_much_it_matters(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "imgsync")
    urls = ("stun:one", "stun:two", "turn://h", "turn:u:her@credential")
    choose_servers([IceServer(urls, "ann", "her credential")])
    told = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert [(level, text.partition(", which")[0]) for level, text in told] == [
        ("WARNING", "the relay names 'turn://h'"),
        ("WARNING", "the relay names 'turn:***@credential'"),
        ("INFO", "the relay names stun:two"),
    ]


def test_neither_form_of_a_turn_server_in_text_shows_its_credential() -> None:
    [server] = choose_servers([IceServer("turn:t.example", "ann", "her credential")]).turn
    assert "her credential" not in f"{server} {server!r}"

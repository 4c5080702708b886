"""What the doctor says of ICE servers that no session asks."""

from imgsync.commands.doctor.findings import Result
from imgsync.commands.doctor.ice import findings_on_left_out
from imgsync.core.protocol.ice import choose_ice
from imgsync.core.protocol.signalling import IceServer

KINDS = ("turn:{}", "turn:{}?transport=tcp", "turns:{}")


def test_servers_that_are_named_and_not_asked_are_told_with_the_reason() -> None:
    hosts = [IceServer(tuple(kind.format(host) for kind in KINDS), "u", "c") for host in "ab"]
    found = findings_on_left_out(choose_ice([IceServer(("stun:a", "stun:b")), *hosts]))
    assert {finding.result for finding in found} == {Result.SKIPPED}
    assert [(finding.check, finding.detail.partition(" ")[0]) for finding in found] == [
        ("stun", "stun:b"),
        ("turn", "turn:b"),
        ("turn", "turn:b?transport=tcp"),
    ]
    assert "of TURN servers 4 are asked" in found[-1].detail


def test_servers_that_cannot_be_asked_are_a_warning_with_what_is_right() -> None:
    wrong = IceServer(("turn://h:3478", "stun:h?transport=udp", "turn:u:her@h"), "u", "c")
    found = findings_on_left_out(choose_ice([wrong, IceServer("turn:a")]))
    assert {finding.result for finding in found} == {Result.WARNING}
    assert [finding.check for finding in found] == ["turn", "stun", "turn", "turn"]
    assert "turn:***@h" in found[2].detail
    assert "write it as turn:HOST:PORT" in found[0].detail
    assert "needs a user name and a credential" in found[3].detail
    assert all("--turn" in finding.advice for finding in found)


def test_where_all_are_asked_nothing_is_said() -> None:
    assert (
        findings_on_left_out(choose_ice([IceServer("stun:a"), IceServer("turn:a", "u", "c")])) == []
    )

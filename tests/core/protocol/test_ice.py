"""Which URLs of ICE servers count, and which servers a session asks."""

import itertools

import pytest

from imgsync.core.protocol.errors import InputError
from imgsync.core.protocol.ice import ChosenServer, choose_ice, parse_ice_url
from imgsync.core.protocol.numbers import BLOCKED_PORTS
from imgsync.core.protocol.signalling import IceServer
from tests.kit.ice_urls import RIGHT, WRONG

KINDS = UDP, TCP, TLS = "turn:{}?transport=udp", "turn:{}?transport=tcp", "turns:{}?transport=tcp"


def account(*urls: str) -> IceServer:
    return IceServer(urls, "ann", "her credential")


def asked(*servers: IceServer) -> list[str]:
    choice = choose_ice(servers)
    found = [choice.stun] if choice.stun else []
    return [str(server.url) for server in (*found, *choice.turn)]


def left_out(*servers: IceServer) -> list[tuple[str, bool]]:
    return [(server.url, server.is_wrong) for server in choose_ice(servers).left_out]


@pytest.mark.parametrize(("url", "whole"), RIGHT.items())
def test_a_right_url_is_taken_apart(url: str, whole: str) -> None:
    parsed = parse_ice_url(url)
    assert str(parsed) == whole
    assert parse_ice_url(whole) == parsed
    assert "[" not in parsed.host


@pytest.mark.parametrize(("problem", "urls"), WRONG.items())
def test_a_wrong_url_is_named_with_what_is_right(problem: str, urls: tuple[str, ...]) -> None:
    for url in urls:
        with pytest.raises(InputError, match=problem) as caught:
            parse_ice_url(url)
        message = str(caught.value)
        assert message.isprintable()
        if "@" not in url and len(url) < 50:
            assert message.startswith(f"{url!r} is no ICE server: ")


def test_what_may_be_a_password_is_not_repeated_and_nothing_long_is() -> None:
    with pytest.raises(InputError, match=r"'turn:\*\*\*@h:3478' is no") as caught:
        parse_ice_url("turn:ann:her@credential@h:3478")
    assert "credential@" not in str(caught.value)
    with pytest.raises(InputError) as caught:
        parse_ice_url(f"turn:{'x' * 100_000}")
    assert len(str(caught.value)) < 300


def test_ports_that_a_browser_blocks_are_no_ports() -> None:
    for port in (53, 80, 443, 1024, 3478, 5349, 8080):
        assert parse_ice_url(f"turn:h:{port}").port == port
    for port in BLOCKED_PORTS:
        with pytest.raises(InputError, match="browsers refuse its port"):
            parse_ice_url(f"stun:h:{port}")


def test_of_each_kind_one_is_asked_before_a_second_one_of_any() -> None:
    named = [kind.format(host) for kind in (UDP, TCP, TLS) for host in "ab"]
    for order in itertools.permutations(named):
        first = {
            kind: next(url for url in order if url in map(kind.format, "ab")) for kind in KINDS
        }
        spare = next(url for url in order if url in map(TLS.format, "ab") and url != first[TLS])
        wanted = [str(parse_ice_url(url)) for url in (*first.values(), spare)]
        assert sorted(asked(account(*order))) == sorted(wanted)
        assert asked(account(*order))[:2] == wanted[:2]


def test_two_servers_in_three_kinds_each_are_all_told_of() -> None:
    a, b = (account(*(kind.format(host) for kind in KINDS)) for host in "ab")
    stun = IceServer(("stun:a", "stun:b"))
    assert asked(stun, a, b) == [
        "stun:a:3478",
        "turn:a:3478?transport=udp",
        "turn:a:3478?transport=tcp",
        "turns:a:5349?transport=tcp",
        "turns:b:5349?transport=tcp",
    ]
    assert left_out(stun, a, b) == [
        ("stun:b:3478", False),
        ("turn:b:3478?transport=udp", False),
        ("turn:b:3478?transport=tcp", False),
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_where_there_is_one_kind_several_of_it_are_asked(kind: str) -> None:
    urls = [kind.format(f"h{number}") for number in range(9)]
    chosen = asked(account(*urls))
    assert [parse_ice_url(url).host for url in chosen] == ["h0", "h1", "h2", "h3"]
    assert len(left_out(account(*urls))) == 5


def test_tls_is_asked_wherever_it_stands() -> None:
    urls = [UDP.format(f"h{number}") for number in range(40)]
    for place in (0, 3, 40):
        named = [*urls[:place], TLS.format("t:443"), *urls[place:]]
        assert asked(account(*named))[-1] == "turns:t:443?transport=tcp"
        assert asked(*map(account, named))[-1] == "turns:t:443?transport=tcp"


def test_a_server_that_is_named_twice_counts_once_for_each_account() -> None:
    twice = account("turn:a", "turn:a:3478", "TURN:a?transport=udp")
    other = IceServer("turn:a", "ann", "another credential")
    assert asked(twice, twice, other) == ["turn:a:3478?transport=udp"] * 2
    assert [server.credential for server in choose_ice([twice, other]).turn] == [
        "her credential",
        "another credential",
    ]
    assert left_out(twice, IceServer(("stun:a", "stun:a:3478"))) == []


def test_each_turn_server_keeps_its_account_and_stun_has_none() -> None:
    both = IceServer(("stun:s", "turn:a", "turns:a"), "ann", "hers")
    choice = choose_ice([both, IceServer("turn:b", "bob", "his")])
    assert choice.stun == ChosenServer(parse_ice_url("stun:s"))
    assert [(server.url.host, server.username, server.credential) for server in choice.turn] == [
        ("a", "ann", "hers"),
        ("b", "bob", "his"),
        ("a", "ann", "hers"),
    ]
    assert choice.turn[0].as_entry == IceServer("turn:a:3478?transport=udp", "ann", "hers")


@pytest.mark.parametrize(
    ("username", "credential", "why"),
    [
        (None, None, "needs a user name and a credential"),
        ("ann", None, "needs a user name and a credential"),
        (None, "hers", "needs a user name and a credential"),
        ("", "hers", "needs a user name and a credential"),
        ("ann", "", "needs a user name and a credential"),
        ("a" * 510, "hers", "more than 509 bytes"),
        ("\u00e4" * 255, "hers", "more than 509 bytes"),
    ],
)
def test_a_turn_server_without_an_account_that_browsers_take_is_left_out(
    username: str | None, credential: str | None, why: str
) -> None:
    entry = IceServer(("stun:s", "turn:a", "turns:a"), username, credential)
    choice = choose_ice([entry, IceServer("turn:b", "a" * 509, "x" * 5000)])
    assert [server.url.host for server in choice.turn] == ["b"]
    assert choice.stun is not None
    assert [left_out.url for left_out in choice.left_out] == ["'turn:a'", "'turns:a'"]
    assert all(why in left_out.why and left_out.is_wrong for left_out in choice.left_out)


def test_wrong_ones_are_left_out_and_told_and_the_others_asked() -> None:
    wrong = [url for urls in WRONG.values() for url in urls]
    entries = [account(*wrong, "turn:a"), *map(account, wrong), IceServer("stun:s")]
    assert asked(*entries) == ["stun:s:3478", "turn:a:3478?transport=udp"]
    assert len(left_out(*entries)) == 2 * len(wrong)
    assert all(is_wrong for _, is_wrong in left_out(*entries))


def test_dtls_which_no_peer_speaks_takes_no_place() -> None:
    urls = [f"turns:h{number}?transport=udp" for number in range(9)]
    entry = account(*urls, "turns:h")
    assert asked(entry) == ["turns:h:5349?transport=tcp"]
    assert left_out(entry) == [(str(parse_ice_url(url)), True) for url in urls]


def test_of_no_servers_none_is_asked() -> None:
    assert asked() == asked(IceServer(())) == []


def test_no_credential_stands_in_a_repr() -> None:
    assert "her credential" not in repr(choose_ice([account("turn:a", "turn:b:0")]))

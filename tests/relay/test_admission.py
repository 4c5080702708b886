"""Who gets as far as a WebSocket: pages by their origin, addresses by their rate, and the room.

Random inputs are derandomized: the same on every run, so that a failure is never a surprise.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imgsync.core.protocol.signalling import CloseCode
from imgsync.core.relay.limits import BURST, MessageLimits
from imgsync.net.http import Request
from imgsync.relay.admission import ANY_ORIGIN, Admission, Refusal, is_local

LAW = settings(max_examples=300, deadline=None, derandomize=True)
START = 1000.0
PROXY, OUTER_PROXY = "10.0.0.1", "10.0.0.2"
PROXIES = (PROXY, OUTER_PROXY, "2001:db8::9")


def admission(
    *,
    origins: tuple[str, ...] = (),
    asks_for_tokens: bool = True,
    proxies: tuple[str, ...] = (),
    connect_rate: float = 0.0,
    max_connections: int = 10,
) -> Admission:
    return Admission(
        messages=MessageLimits(rate=0, address_rate=0),
        origins=origins,
        asks_for_tokens=asks_for_tokens,
        proxies=proxies,
        connect_rate=connect_rate,
        max_connections=max_connections,
    )


def request(remote: str = "192.0.2.1", **headers: str) -> Request:
    """`request(x_forwarded_for="...")`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request(method="GET", path="/ws", query="", headers=named, remote=remote)


# ── this machine ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("remote", ["127.0.0.1", "127.0.0.2", "::1"])
@pytest.mark.parametrize(
    "host",
    [
        *("localhost", "LOCALHOST:8765", "127.0.0.1:8765", "127.0.0.1", "127.9.9.9:1", "[::1]"),
        *("[::1]:8765", "[0:0::1]:8765", "[::ffff:127.0.0.1]:8765"),
    ],
)
def test_who_asks_here_for_himself_is_local(remote: str, host: str) -> None:
    assert is_local(request(remote, host=host))
    assert is_local(request(remote, host=host, sec_fetch_site="none", user_agent="Mozilla/5.0"))
    assert is_local(request(remote, host=host, sec_fetch_site="same-origin", accept="*/*"))


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "evil.example:8765", "localhost.evil.example", "127.0.0.1.evil.example"),
        *("", "0.0.0.0:8765", "[::]:8765", "192.0.2.1", "10.0.0.1:8765", "relay.lab", "a b", "["),
        *("evil.example@localhost.", "localhost:x", "evil.example#localhost", "[::1", "2130706433"),
    ],
)
def test_a_name_that_somebody_else_can_have_is_not_local(host: str) -> None:
    assert not is_local(request("127.0.0.1", host=host))
    assert not is_local(request("127.0.0.1"))


@pytest.mark.parametrize(
    "headers",
    [
        {"x_forwarded_for": "192.0.2.1"},
        {"x_forwarded_for": ""},
        {"x_forwarded_proto": "https"},
        {"x_forwarded_host": "relay.example"},
        {"x_real_ip": "192.0.2.1"},
        {"forwarded": "for=192.0.2.1"},
        {"via": "1.1 proxy"},
        {"origin": "http://127.0.0.1:8765"},
        {"origin": "null"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"sec_fetch_site": "none, cross-site"},
    ],
    ids=str,
)
def test_a_proxy_and_a_page_of_elsewhere_are_not_local(headers: dict[str, str]) -> None:
    assert not is_local(request("127.0.0.1", host="127.0.0.1:8765", **headers))


def test_another_machine_is_not_local_whatever_it_says() -> None:
    assert not is_local(request("192.0.2.1", host="127.0.0.1:8765"))


# ── pages ────────────────────────────────────────────────────────────────────────────────────────


def may_connect(origin: str, host: str = "relay.example", *origins: str) -> bool:
    refusal = admission(origins=origins).refuse_upgrade(request(origin=origin, host=host))
    assert refusal is None or refusal.status == 403
    return refusal is None


@pytest.mark.parametrize(
    ("host", "may"),
    [
        ("127.0.0.1:8765", True),
        ("[::1]:8765", True),
        ("192.0.2.7", True),
        ("localhost:8765", True),
        # Whoever owns this name can make it mean 127.0.0.1 once their page is loaded.
        ("evil.example:8765", False),
        ("localhost.evil.example", False),
        ("127.0.0.1.evil.example", False),
    ],
)
def test_where_no_tokens_are_asked_for_no_name_can_pass_for_this_machine(
    host: str, may: bool
) -> None:
    page = request(origin=f"http://{host}", host=host)
    assert (admission(asks_for_tokens=False).refuse_upgrade(page) is None) == may
    assert admission(asks_for_tokens=True).refuse_upgrade(page) is None
    named = admission(asks_for_tokens=False, origins=(f"http://{host}",))
    assert named.refuse_upgrade(page) is None


def test_who_is_no_page_may_connect() -> None:
    assert admission().refuse_upgrade(request()) is None
    assert admission(origins=("https://lab.example",)).refuse_upgrade(request(host="h")) is None


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://relay.example", "relay.example"),
        ("https://relay.example", "relay.example"),
        ("http://relay.example", "relay.example:80"),
        ("http://relay.example:80", "relay.example"),
        ("https://relay.example", "relay.example:443"),
        ("http://relay.example:8765", "relay.example:8765"),
        ("https://relay.example:8765", "relay.example:8765"),  # a proxy ends its TLS
        ("HTTP://Relay.Example", "relay.EXAMPLE"),
        ("http://127.0.0.1:8765", "127.0.0.1:8765"),
        ("http://[::1]:8765", "[::1]:8765"),
        ("http://[2001:DB8::1]", "[2001:db8::1]"),
    ],
)
def test_a_page_of_the_relays_own_host_may_connect(origin: str, host: str) -> None:
    assert may_connect(origin, host)


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://evil.example", "relay.example"),
        ("http://relay.example.evil.example", "relay.example"),
        ("http://evil-relay.example", "relay.example"),
        ("http://www.relay.example", "relay.example"),
        ("http://relay.example:8080", "relay.example"),
        ("http://relay.example", "relay.example:8765"),
        ("https://relay.example", "relay.example:80"),
        ("http://relay.example:443", "relay.example"),
        ("http://127.0.0.1:3000", "127.0.0.1:8765"),
        ("http://localhost:8765", "127.0.0.1:8765"),
        ("http://[::1]:8765", "[::2]:8765"),
        ("chrome-extension://relay.example", "relay.example"),
        ("ftp://relay.example", "relay.example"),
        ("file://", ""),
        ("null", "relay.example"),
        ("null", "null"),
        ("*", "relay.example"),
        ("", ""),
        ("", "relay.example"),
        ("http://", ""),
        ("relay.example", "relay.example"),
        ("//relay.example", "relay.example"),
        ("http://relay.example", ""),
        ("http://[", "["),
        ("http://[::1", "[::1"),
        ("http://relay.example:x", "relay.example:x"),
        ("http://relay.example:99999", "relay.example:99999"),
        ("http://relay.example http://evil.example", "relay.example"),
    ],
)
def test_a_page_of_elsewhere_and_what_is_no_origin_may_not(origin: str, host: str) -> None:
    assert not may_connect(origin, host)


@pytest.mark.parametrize(
    ("allowed", "origin"),
    [
        ("https://lab.example", "https://lab.example"),
        ("https://lab.example", "HTTPS://LAB.example"),
        ("https://lab.example:443", "https://lab.example"),
        ("https://lab.example", "https://lab.example:443"),
        ("http://lab.example:3000", "http://lab.example:3000"),
        ("http://[2001:db8::1]:3000", "http://[2001:DB8::1]:3000"),
        ("null", "null"),
        ("chrome-extension://abcdef", "chrome-extension://abcdef"),
    ],
)
def test_a_page_that_the_operator_has_named_may_connect(allowed: str, origin: str) -> None:
    assert may_connect(origin, "relay.example", "https://other.example", allowed)


@pytest.mark.parametrize(
    ("allowed", "origin"),
    [
        ("https://lab.example", "http://lab.example"),
        ("https://lab.example", "https://lab.example:8443"),
        ("https://lab.example", "https://a.lab.example"),
        ("https://lab.example", "null"),
        ("https://*.example", "https://lab.example"),
        ("null", "file://"),
        ("null", "https://null"),
        ("chrome-extension://abcdef", "chrome-extension://other"),
    ],
)
def test_what_the_operator_has_named_is_meant_to_the_letter(allowed: str, origin: str) -> None:
    assert not may_connect(origin, "relay.example", allowed)


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "", "http://[", "file://"])
def test_every_page_may_connect_where_the_operator_says_so(origin: str) -> None:
    assert may_connect(origin, "relay.example", ANY_ORIGIN)


@given(origin=st.text(max_size=30) | st.text("http:/[]@.%1 ", max_size=20), host=st.text())
@LAW
def test_whatever_stands_in_the_headers_gets_an_answer(origin: str, host: str) -> None:
    refusal = admission().refuse_upgrade(request(origin=origin, host=host))
    assert refusal is None or refusal.status == 403


# ── addresses ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("proxies", [(), PROXIES])
@pytest.mark.parametrize("said", ["203.0.113.7", PROXY, "", "junk", f"203.0.113.7, {PROXY}"])
def test_a_stranger_is_not_believed(proxies: tuple[str, ...], said: str) -> None:
    where = admission(proxies=proxies)
    assert where.address_of(request("192.0.2.1", x_forwarded_for=said)) == "192.0.2.1"


def test_a_proxy_that_nobody_has_named_is_a_stranger() -> None:
    assert admission().address_of(request(PROXY, x_forwarded_for="203.0.113.7")) == PROXY


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("  203.0.113.7\t", "203.0.113.7"),
        (f"203.0.113.7, {OUTER_PROXY}", "203.0.113.7"),
        (f"203.0.113.7,{OUTER_PROXY},{PROXY}", "203.0.113.7"),
        # What a stranger wrote stands to the left of its own address.
        ("198.51.100.1, 203.0.113.7", "203.0.113.7"),
        (f"198.51.100.1, {PROXY}, 203.0.113.7, {OUTER_PROXY}", "203.0.113.7"),
        ("junk, 203.0.113.7", "203.0.113.7"),
        # All of the way is ours: somebody on the proxy itself.
        (OUTER_PROXY, OUTER_PROXY),
        (f"{PROXY}, {OUTER_PROXY}", PROXY),
        # An empty member of a list counts for nothing.
        (f",203.0.113.7,, {OUTER_PROXY} ,", "203.0.113.7"),
        # Spellings of one address.
        ("203.0.113.7:40312", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:DB8:0::7", "2001:db8::7"),
        ("[2001:db8::7]", "2001:db8::7"),
        ("[2001:db8::7]:40312", "2001:db8::7"),
        ("203.0.113.7, 2001:0db8::0009", "203.0.113.7"),
        ("fe80::7%\x1b[2J", "fe80::7"),
    ],
)
def test_a_proxy_is_believed_as_far_as_its_word_goes(said: str, expected: str) -> None:
    where = admission(proxies=PROXIES)
    assert where.address_of(request(PROXY, x_forwarded_for=said)) == expected


NO_ADDRESS = [
    *("", " ", ",", ",,,", "junk", "unknown", "_hidden", "localhost", "1.2.3", "1.2.3.4.5"),
    *("256.1.1.1", "1.2.3.4:", "1.2.3.4:x", "[1.2.3.4", "[]", "[]:80", "[::1]x", ":80", "::1::"),
    *("1.2.3.4/8", "01.2.3.4", "٣.2.3.4", "0x7f.1.1.1", "16909060", "1.2.3.4;5.6.7.8", "%", "::1%"),
]


@pytest.mark.parametrize("said", NO_ADDRESS)
def test_what_is_no_address_is_the_proxys_own(said: str) -> None:
    where = admission(proxies=PROXIES)
    assert where.address_of(request(PROXY)) == PROXY
    assert where.address_of(request(PROXY, x_forwarded_for=said)) == PROXY
    # Nor is what stands before it believed.
    beyond = request(PROXY, x_forwarded_for=f"203.0.113.7, {said or 'x'}, {OUTER_PROXY}")
    expected = "203.0.113.7" if not said.strip(" ,") and said else OUTER_PROXY
    assert where.address_of(beyond) == expected


@pytest.mark.parametrize("remote", ["10.0.0.1", "::ffff:10.0.0.1", "2001:0db8::9"])
@pytest.mark.parametrize("named", [("10.0.0.1", "2001:db8::9"), ("::ffff:10.0.0.1", "2001:DB8::9")])
def test_a_proxy_is_known_however_its_address_is_spelled(
    remote: str, named: tuple[str, ...]
) -> None:
    where = admission(proxies=named)
    assert where.address_of(request(remote, x_forwarded_for="203.0.113.7")) == "203.0.113.7"


def test_a_remote_that_is_no_ip_address_is_kept_as_it_is() -> None:
    where = admission(proxies=PROXIES)
    assert where.address_of(request("", x_forwarded_for="203.0.113.7")) == ""
    assert where.address_of(request("@unix", x_forwarded_for="203.0.113.7")) == "@unix"


@given(said=st.text(max_size=40) | st.text("0123456789.:,[]% abcdef", max_size=40))
@LAW
def test_whatever_a_proxy_passes_on_the_outcome_is_an_address_and_no_other_text(said: str) -> None:
    address = admission(proxies=PROXIES).address_of(request(PROXY, x_forwarded_for=said))
    assert set(address) <= set("0123456789abcdef.:")


# ── rate and room ────────────────────────────────────────────────────────────────────────────────


def test_an_address_connects_so_often_and_then_has_to_wait() -> None:
    where = admission(connect_rate=2.0)
    for _ in range(int(2.0 * BURST)):
        assert where.admit("192.0.2.1", 0, START) is None
    why = "too many connections from this address; wait a few seconds"
    refusal = Refusal(CloseCode.RATE_LIMITED, why, "address_rate")
    assert where.admit("192.0.2.1", 0, START) == refusal
    assert where.admit("192.0.2.2", 0, START) is None
    assert where.admit("192.0.2.1", 0, START + 1) is None


def test_the_room_is_for_so_many_connections() -> None:
    where = admission(max_connections=2)
    assert where.admit("192.0.2.1", 1, START) is None
    for connections in (2, 3):
        refusal = where.admit("192.0.2.1", connections, START)
        assert refusal is not None
        assert (refusal.code, refusal.label) == (CloseCode.RELAY_FULL, "full")


def test_who_knocks_at_a_full_relay_all_the_time_is_told_to_wait() -> None:
    where = admission(connect_rate=1.0, max_connections=0)
    refusals = [where.admit("192.0.2.1", 0, START) for _ in range(int(BURST) + 1)]
    codes = [refusal.code for refusal in refusals if refusal is not None]
    assert codes == [CloseCode.RELAY_FULL] * int(BURST) + [CloseCode.RATE_LIMITED]

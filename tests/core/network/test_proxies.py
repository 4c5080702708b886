"""Which proxy is on the way, by every form that people and systems give the variables."""

import pytest

from imgsync.core.network.proxies import (
    Destination,
    Proxy,
    find_proxy,
    is_never_proxied,
    odd_exceptions,
    parse_proxy,
)
from imgsync.core.protocol.errors import InputError

SECRET = "c0ffee"
FAR = Destination("wss", "relay.example.org", 443)


def url_of(environ: dict[str, str], destination: Destination = FAR) -> str | None:
    proxy = find_proxy(environ, destination)
    return None if proxy is None else proxy.url


def excepts(no_proxy: str, host: str, port: int = 443) -> bool:
    environ = {"https_proxy": "http://proxy:3128", "no_proxy": no_proxy}
    return find_proxy(environ, Destination("https", host, port)) is None


# ── which variable ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("scheme", "variables"),
    [
        ("http", ["http_proxy", "all_proxy"]),
        ("ws", ["http_proxy", "all_proxy"]),
        ("https", ["https_proxy", "all_proxy"]),
        ("wss", ["https_proxy", "all_proxy"]),
        ("turn", ["https_proxy", "http_proxy", "all_proxy"]),
        ("turns", ["https_proxy", "all_proxy"]),
    ],
)
@pytest.mark.parametrize("spell", [str.lower, str.upper])
def test_each_scheme_has_its_variables_the_first_of_which_counts(
    scheme: str, variables: list[str], spell: "type[str]"
) -> None:
    every = {name: f"http://{name}" for name in ("http_proxy", "https_proxy", "all_proxy")}
    while every:
        proxy = find_proxy(
            {spell(name): value for name, value in every.items()},
            Destination(scheme, "relay.example.org", 80),
        )
        expected = next((name for name in variables if name in every), None)
        assert (proxy and proxy.host) == expected
        assert (proxy and proxy.variable) == (expected and spell(expected))
        if expected is None:
            return
        del every[expected]


def test_the_variable_in_lower_case_goes_first_and_an_empty_one_means_none() -> None:
    assert url_of({"https_proxy": "a", "HTTPS_PROXY": "b"}) == "http://a:80"
    assert url_of({"https_proxy": "", "HTTPS_PROXY": "b"}) is None
    assert url_of({"https_proxy": " ", "ALL_PROXY": "c"}) == "http://c:80"
    assert url_of({"HTTPS_PROXY": "", "all_proxy": ""}) is None
    assert url_of({}) is None
    both = {"https_proxy": "a", "no_proxy": "", "NO_PROXY": "*"}
    assert url_of(both) == "http://a:80"


def test_where_cgi_runs_a_visitors_header_is_no_proxy() -> None:
    plain = Destination("http", "images.example.org", 80)
    cgi = {"REQUEST_METHOD": "GET", "HTTP_PROXY": "http://evil"}
    assert url_of(cgi, plain) is None
    assert url_of({**cgi, "http_proxy": "http://good"}, plain) == "http://good:80"
    assert url_of({**cgi, "ALL_PROXY": "http://good"}, plain) == "http://good:80"
    assert url_of({**cgi, "HTTPS_PROXY": "http://good"}) == "http://good:80"


# ── what is never proxied ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "host",
    [
        *("localhost", "LOCALHOST", "localhost.", "a.b.localhost", "127.0.0.1", "127.9.9.9"),
        *("::1", "0:0:0:0:0:0:0:1", "::ffff:127.0.0.1", "0.0.0.0", "::"),
        *("169.254.1.1", "fe80::1", "fe80::1%eth0"),
    ],
)
def test_loopback_and_the_same_cable_are_asked_directly(host: str) -> None:
    assert is_never_proxied(host)
    for odd in ("http://proxy", "socks5://proxy", "http://proxy:notaport"):
        assert url_of({"ALL_PROXY": odd}, Destination("ws", host, 8765)) is None


@pytest.mark.parametrize(
    "host", ["notlocalhost", "localhost.example.org", "10.0.0.1", "128.0.0.1", "fd00::1", "::2"]
)
def test_all_others_are_asked_through_it(host: str) -> None:
    assert url_of({"ALL_PROXY": "http://p"}, Destination("ws", host, 80)) == "http://p:80"


def test_this_machine_itself_is_asked_directly_whatever_the_variable_says() -> None:
    own = Destination("http", "10.1.2.3", 40123)
    for value in ("http://proxy", "socks5://proxy"):
        assert find_proxy({"http_proxy": value}, own, is_own=True) is None


# ── NO_PROXY ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("no_proxy", "host"),
    [
        ("*", "a.example.org"),
        ("example.org", "example.org"),
        ("example.org", "a.b.example.org"),
        ("example.org", "EXAMPLE.ORG."),
        (".example.org", "a.example.org"),
        (".example.org", "example.org"),
        ("*.example.org", "a.example.org"),
        ("Example.Org.", "a.example.org"),
        ("a, b ,example.org", "example.org"),
        ("a b\texample.org", "example.org"),
        ("a;example.org", "example.org"),
        ("example.org:443", "example.org"),
        ("https://example.org/", "example.org"),
        ("münchen.example", "xn--mnchen-3ya.example"),
        ("10.0.0.0/8", "10.200.3.4"),
        ("10.1.2.3/8", "10.200.3.4"),
        ("10.1.2.3", "10.1.2.3"),
        ("10.1.2.3:443", "10.1.2.3"),
        ("10.1.*", "10.1.2.3"),
        ("10.1.2.3", "::ffff:10.1.2.3"),
        ("::ffff:10.0.0.0/104", "10.1.2.3"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("2001:db8::1", "2001:0db8:0:0::1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("2001:db8::/32", "2001:db8:5::1"),
        ("[2001:db8::]/32", "2001:db8:5::1"),
        ("[2001:db8::/32]", "2001:db8:5::1"),
        ("a,,[::1],2001:db8::/32", "2001:db8:5::1"),
    ],
)
def test_what_is_excepted_is_asked_directly(no_proxy: str, host: str) -> None:
    assert excepts(no_proxy, host)
    assert odd_exceptions({"no_proxy": no_proxy}) == []


@pytest.mark.parametrize(
    ("no_proxy", "host"),
    [
        ("", "example.org"),
        (",", "example.org"),
        ("example.org", "notexample.org"),
        ("example.org", "example.org.evil.example"),
        ("a.example.org", "example.org"),
        ("*.example.org", "example.org"),
        (".", "example.org"),
        ("example.org:80", "example.org"),
        ("10.0.0.0/8", "11.0.0.1"),
        ("10.0.0.0/8", "10.example.org"),
        ("0.0.0.0/0", "example.org"),
        ("1.2.3.4", "11.2.3.4"),
        ("2001:db8::1", "2001:db8::11"),
        ("[2001:db8::1]:80", "2001:db8::1"),
        ("[::1]", "2001:db8::1"),
    ],
)
def test_what_is_not_excepted_is_not(no_proxy: str, host: str) -> None:
    assert not excepts(no_proxy, host)


@pytest.mark.parametrize("odd", ["10.0.0.0/99", "[::1", "a/b", "[nonsense]", "a:b:c", "a:notaport"])
def test_what_can_t_be_read_excepts_nothing_and_is_told(odd: str) -> None:
    assert not excepts(f"{odd},example.org", "other.example")
    assert excepts(f"{odd},example.org", "example.org")
    assert odd_exceptions({"NO_PROXY": f"{odd},example.org"}) == [odd]


# ── the proxy itself ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("proxy", (False, "proxy", 80)),
        ("proxy:3128", (False, "proxy", 3128)),
        ("  http://proxy:3128/  ", (False, "proxy", 3128)),
        ("HTTP://Proxy:3128", (False, "Proxy", 3128)),
        ("http://proxy:", (False, "proxy", 80)),
        ("http://proxy:3128/path?query#part", (False, "proxy", 3128)),
        ("https://proxy", (True, "proxy", 443)),
        ("10.0.0.1:3128", (False, "10.0.0.1", 3128)),
        ("http://[fd00::1]:3128", (False, "fd00::1", 3128)),
        ("[::1]", (False, "::1", 80)),
    ],
)
def test_a_proxy_has_a_kind_a_host_and_a_port(value: str, expected: tuple[bool, str, int]) -> None:
    proxy = find_proxy({"ALL_PROXY": value}, FAR)
    assert proxy is not None
    assert (proxy.tls, proxy.host, proxy.port, proxy.username) == (*expected, None)


@pytest.mark.parametrize(
    ("login", "expected"),
    [
        ("ann:c0ffee", ("ann", "c0ffee")),
        ("ann", ("ann", "")),
        ("ann:", ("ann", "")),
        ("a%40b:c%3A%2f%25", ("a@b", "c:/%")),
        ("ann@lab:c0ffee", ("ann@lab", "c0ffee")),
        ("ann:c0:ff@ee", ("ann", "c0:ff@ee")),
        ("lab%5Cann:c0ffee", ("lab\\ann", "c0ffee")),
        ("ann:%C3%BC", ("ann", "ü")),
    ],
)
def test_a_login_is_read_and_never_told(login: str, expected: tuple[str, str]) -> None:
    for prefix in ("", "http://", "https://"):
        proxy = parse_proxy("https_proxy", f"{prefix}{login}@proxy:3128")
        assert (proxy.username, proxy.password) == expected
        assert proxy.host == "proxy"
        assert SECRET not in f"{proxy} {proxy!r} {proxy.url}"


@pytest.mark.parametrize(
    ("value", "word"),
    [
        ("socks5://proxy:1080", "socks5"),
        ("SOCKS5H://proxy", "socks5h"),
        ("socks4a://ann:c0ffee@proxy", "socks4a"),
        ("ftp://proxy", "ftp"),
        ("http://proxy:notaport", "port"),
        ("proxy:0", "port"),
        ("proxy:65536", "port"),
        ("proxy:-1", "port"),
        ("proxy:٣", "port"),
        ("http://ann:c0ffee@proxy:notaport", "port"),
        ("http://", "no proxy"),
        ("http:///path", "no proxy"),
        ("://proxy", "no proxy"),
        ("http://a b:3128", "no proxy"),
        ("http://ann:c0/ffee@proxy:3128", "no proxy"),
        ("http://ann:12/c0ffee@proxy:3128", "no proxy"),
        ("http://ann:c0?ffee@proxy", "no proxy"),
        ("http://ann:c0#ffee@proxy", "no proxy"),
        ("http://[nonsense]:3128", "no host"),
        ("[::1:3128", "no proxy"),
        ("::1", "no proxy"),
        ("http://a..b:3128", "no host"),
        ("http://" + "a" * 64 + ":3128", "no host"),
        ("http://a^b:3128", "no host"),
    ],
)
def test_what_is_no_proxy_is_told_by_its_variable_and_never_with_a_password(
    value: str, word: str
) -> None:
    with pytest.raises(InputError) as caught:
        find_proxy({"HTTPS_PROXY": value}, FAR)
    text = str(caught.value)
    assert "HTTPS_PROXY" in text
    assert word in text
    assert SECRET not in text
    assert "ffee" not in text
    assert "\n" not in text
    assert len(text) < 300


def test_a_proxy_is_told_with_its_variable() -> None:
    proxy = Proxy(tls=True, host="fd00::1", port=443, variable="ALL_PROXY")
    assert str(proxy) == "https://[fd00::1]:443 (ALL_PROXY)"

"""What is said to a proxy, and what each of its answers means."""

import base64

import pytest

from imgsync.core.network.proxies import Destination, Proxy
from imgsync.core.network.tunnel import MAX_HEAD, Tunnel
from imgsync.core.protocol.errors import ProxyFailed

RELAY = Destination("wss", "relay.example.org", 443)
PROXY = Proxy(tls=False, host="proxy", port=3128, variable="HTTPS_PROXY")
LOGIN = Proxy(
    tls=False, host="proxy", port=3128, variable="https_proxy", username="ann", password="c0ffee:ü"
)


def failure(answer: bytes, proxy: Proxy = PROXY) -> str:
    tunnel = Tunnel(proxy, RELAY)
    with pytest.raises(ProxyFailed) as caught:
        assert tunnel.receive(answer) or tunnel.receive(b"")
    text = str(caught.value)
    assert "http://proxy:3128" in text
    assert "c0ffee" not in text
    assert "\n" not in text
    return text


def test_the_server_is_named_and_a_login_is_given() -> None:
    assert Tunnel(PROXY, RELAY).request == (
        b"CONNECT relay.example.org:443 HTTP/1.1\r\nHost: relay.example.org:443\r\n"
        b"User-Agent: imgsync\r\n\r\n"
    )
    request = Tunnel(LOGIN, RELAY).request
    login = base64.b64encode("ann:c0ffee:ü".encode())
    assert request.endswith(b"\r\nProxy-Authorization: Basic " + login + b"\r\n\r\n")


def test_an_address_is_named_as_in_urls_and_a_name_as_it_is_looked_up() -> None:
    address = Tunnel(PROXY, Destination("turn", "fd00::1", 3478)).request
    assert address.startswith(b"CONNECT [fd00::1]:3478 HTTP/1.1\r\n")
    name = Tunnel(PROXY, Destination("wss", "münchen.example", 443)).request
    assert name.startswith(b"CONNECT xn--mnchen-3ya.example:443 HTTP/1.1\r\n")


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.0 200 Connection established\r\nProxy-Agent: tinyproxy\r\n\r\n",
        b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\n\n",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 OK\r\nA: b\r\n\r\n",
    ],
)
def test_any_success_lets_us_through_however_it_is_cut(answer: bytes) -> None:
    assert Tunnel(PROXY, RELAY).receive(answer)
    bytewise = Tunnel(PROXY, RELAY)
    *most, last = [bytewise.receive(bytes([byte])) for byte in answer]
    assert (any(most), last) == (False, True)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (403, "allow CONNECT"),
        (405, "allow CONNECT"),
        (502, "can't reach relay.example.org:443"),
        (503, "can't reach relay.example.org:443"),
        (504, "can't reach relay.example.org:443"),
        (404, "can't reach relay.example.org:443"),
        (302, "HTTP 302"),
        (418, "HTTP 418"),
    ],
)
def test_each_refusal_has_its_words(status: int, words: str) -> None:
    for reason in (b"", b" Some Reason"):
        text = failure(b"HTTP/1.1 %d%b\r\nContent-Length: 3\r\n\r\nno\n" % (status, reason))
        assert words in text
        assert str(status) in text


def test_a_login_that_is_missing_wrong_or_of_another_kind_is_told_as_that() -> None:
    basic = b"HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm=x\r\n\r\n"
    assert "write it into HTTPS_PROXY" in failure(basic)
    assert "user name and password in https_proxy" in failure(basic, LOGIN)
    for status in (401, 407):
        answer = b"HTTP/1.1 %d No\r\n\r\n" % status
        assert f"asks for a login (HTTP {status})" in failure(answer)
        assert f"user name and password in https_proxy (HTTP {status})" in failure(answer, LOGIN)
    others = b"HTTP/1.1 407 No\r\nproxy-authenticate: NTLM\r\nProxy-Authenticate:Negotiate\r\n\r\n"
    assert "negotiate, ntlm" in failure(others, LOGIN)
    both = others.replace(b"\r\n\r\n", b"\r\nProxy-Authenticate: Basic\r\n\r\n")
    assert "user name and password" in failure(both, LOGIN)


@pytest.mark.parametrize(
    "answer", [b"SSH-2.0-OpenSSH_9.2\r\n", b"\x15\x03\x03\x00\x02", b"HTTPS", b"HTTP/3 200\r\n\r\n"]
)
def test_what_speaks_no_http_is_no_proxy(answer: bytes) -> None:
    assert "not as a proxy does" in failure(answer)


def test_an_end_is_told_and_no_answer_may_be_without_one() -> None:
    assert "closed the connection" in failure(b"")
    assert "closed the connection" in failure(b"HTTP/1.1 200 OK\r\n")
    assert "without an end" in failure(b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * (MAX_HEAD // 6))


def test_nothing_may_come_before_we_have_spoken() -> None:
    assert "behind its answer" in failure(b"HTTP/1.1 200 OK\r\n\r\nhello")

"""A tunnel through a proxy: what is sent to it, and what its answer means (RFC 9110, 9.3.6).

    us ── CONNECT host:port ──▶ proxy
    us ◀── 200 ─────────────── proxy      from here on all goes to host:port and back
    us ◀── any other status ── proxy      and nothing does

Whoever asks speaks first through the tunnel, so that nothing can come behind the answer.
"""

import base64
import re

from imgsync.core.network.proxies import Destination, Proxy
from imgsync.core.protocol.errors import ProxyFailed

MAX_HEAD = 64 * 1024
"""Bytes of an answer; some put a page's worth of cookies and policies into it."""

_STATUS = re.compile(rb"HTTP/1\.[01] ([1-9][0-9]{2})(?: [^\r\n]*)?\r?\n")
_END = re.compile(rb"\r?\n\r?\n")
_SCHEMES = re.compile(rb"^proxy-authenticate:[ \t]*([a-z]+)", re.IGNORECASE | re.MULTILINE)

_NO_PROXY = "answers, but not as a proxy does; is it http or https?"

_LOGIN_WANTED = (401, 407)
"""Some proxies say the one where they have not been given a login, and the other to a wrong one."""

_REFUSED = (403, 405, 429, 451)
_OUT_OF_REACH = (404, 500, 502, 503, 504)


class Tunnel:
    """One attempt.

    :ivar request: what to send first.
    """

    def __init__(self, proxy: Proxy, destination: Destination) -> None:
        self._proxy = proxy
        self._destination = destination
        self._head = b""
        where = str(destination).encode("ascii" if destination.host.isascii() else "idna").decode()
        lines = [f"CONNECT {where} HTTP/1.1", f"Host: {where}", "User-Agent: imgsync"]
        if proxy.username is not None:
            login = f"{proxy.username}:{proxy.password}".encode()
            lines.append(f"Proxy-Authorization: Basic {base64.b64encode(login).decode()}")
        self.request = "".join(f"{line}\r\n" for line in [*lines, ""]).encode()

    def receive(self, data: bytes) -> bool:
        """What has come; nothing means that the proxy has closed. Returns whether we are through.

        Raises ProxyFailed.
        """
        self._head += data
        while (end := _END.search(self._head)) is not None:
            head, self._head = self._head[: end.end()], self._head[end.end() :]
            status = _STATUS.match(head)
            if status is None:
                raise self._failed(_NO_PROXY)
            code = int(status[1])
            if code >= 200:
                return self._judge(code, head)
        if not _may_be_http(self._head):
            raise self._failed(_NO_PROXY)
        if not data:
            raise self._failed("closed the connection without an answer; is it http or https?")
        if len(self._head) > MAX_HEAD:
            raise self._failed("answers without an end; is it a proxy?")
        return False

    def _judge(self, status: int, head: bytes) -> bool:
        if status >= 300:
            schemes = {name.decode().lower() for name in _SCHEMES.findall(head)}
            raise self._failed(refusal_of(self._proxy, str(self._destination), status, schemes))
        if self._head:
            raise self._failed("sends something behind its answer, which nobody has asked for")
        return True

    def _failed(self, what: str) -> ProxyFailed:
        return ProxyFailed(f"the proxy {self._proxy} {what}")


def refusal_of(proxy: Proxy, where: str, status: int, schemes: set[str] | None = None) -> str:
    """What a proxy's status means, as what it does, and what to do.

    :param where: what it was to let us through to.
    :param schemes: by which it says that one can log in, in lower case.
    """
    if status in _LOGIN_WANTED:
        if schemes and "basic" not in schemes:
            names = ", ".join(sorted(schemes))
            return (
                f"asks for a login by {names}, which imgsync can't do; ask whoever runs it for"
                " one by Basic, or for an exception"
            )
        if proxy.username is None:
            form = "http://USER:PASSWORD@HOST:PORT"
            return f"asks for a login (HTTP {status}); write it into {proxy.variable}, as {form}"
        return f"does not take the user name and password in {proxy.variable} (HTTP {status})"
    if status in _REFUSED:
        return (
            f"does not let us through to {where} (HTTP {status}); ask whoever runs it to"
            " allow CONNECT to this host and port: many allow port 443 alone"
        )
    if status in _OUT_OF_REACH:
        return f"can't reach {where} (HTTP {status}); is its host right, and is it running?"
    return f"answers CONNECT to {where} with HTTP {status}; is it a proxy?"


def _may_be_http(head: bytes) -> bool:
    return head[:5] == b"HTTP/"[: len(head)]

"""A real TURN server, coturn, for tests; each with accounts that last an hour."""

import base64
import hashlib
import hmac
import shutil
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from types import MappingProxyType

import attrs
import pytest
import trustme

from imgsync.core.protocol.signalling import IceServer
from imgsync.net.hosts import in_url
from tests.kit.ports import find_free_port
from tests.kit.processes import START_S, Child, open_child, wait_until

SECRET = "not much of a secret"

needs_coturn = pytest.mark.skipif(
    shutil.which("turnserver") is None, reason="coturn is not installed"
)

# A STUN binding request (RFC 8489, section 5); coturn answers it to everybody.
BINDING_REQUEST = bytes.fromhex("000100002112a442") + b"are you here"


def make_credentials(seconds: int = 3600, secret: str = SECRET) -> tuple[str, str]:
    """A user name and its credential, good for this long, as by the TURN REST convention."""
    username = f"{int(time.time()) + seconds}:somebody"
    digest = hmac.digest(secret.encode(), username.encode(), hashlib.sha1)
    return username, base64.b64encode(digest).decode()


@attrs.frozen
class Coturn:
    """A server that runs; `child` to end it before its time."""

    port: int
    tls_port: int
    child: Child
    host: str

    def over(self, transport: str, *, secret: str = SECRET, host: str = "") -> IceServer:
        """As the relay names it; the transport is "udp", "tcp" or "tls".

        :param secret: another one than the server's makes for a credential that it refuses.
        :param host: a name or another address of it.
        """
        where = in_url(host or self.host)
        url = f"turn:{where}:{self.port}?transport={transport}"
        if transport == "tls":
            url = f"turns:{where}:{self.tls_port}"
        return IceServer(url, *make_credentials(secret=secret))

    async def kill(self) -> None:
        """End it without a word to anybody."""
        self.child.process.kill()
        await self.child.process.wait()


@asynccontextmanager
async def open_coturn(
    certificate: Path | None = None,
    *prefix: str,
    hosts: Sequence[str] = ("127.0.0.1",),
    relays: Sequence[str] = (),
    options: Mapping[str, object] = MappingProxyType({}),
) -> AsyncIterator[Coturn]:
    """A TURN server on loopback that answers; gone when the block is left.

    :param certificate: PEM file with the key in it, for TLS; without it there is none.
    :param prefix: before the command; with one, whether it answers is not looked at.
    :param hosts: the addresses at which it answers.
    :param relays: those at which it relays, if others.
    :param options: more of them, without their dashes.
    """
    port, tls_port = find_free_port(), find_free_port()
    with tempfile.TemporaryDirectory() as folder:
        named: dict[str, object] = {
            "listening-port": port,
            "tls-listening-port": tls_port,
            "static-auth-secret": SECRET,
            "realm": "imgsync.example",
            "log-file": f"{folder}/log",
            "pidfile": f"{folder}/pid",
            "userdb": f"{folder}/users",
        }
        flags = ["use-auth-secret", "allow-loopback-peers", "no-cli", "no-dtls"]
        flags += ["simple-log", "no-stdout-log"]
        if certificate is None:
            flags.append("no-tls")
        else:
            named |= {"cert": certificate, "pkey": certificate}
        words = [f"--{name}={value}" for name, value in {**named, **options}.items()]
        words += [f"--listening-ip={host}" for host in hosts]
        words += [f"--relay-ip={host}" for host in relays or hosts]
        words += [f"--{flag}" for flag in flags]
        async with open_child("TURN server", *prefix, "turnserver", "-n", *words) as child:
            if not prefix:
                answer = partial(answers, port, hosts[0])
                await wait_until(answer, "the TURN server's answer", START_S)
            yield Coturn(port, tls_port, child, hosts[0])


def trust_certificate(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a certificate for loopback, of an authority that this process is to trust."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(folder / "authority.pem"))
    path = folder / "certificate.pem"
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(path)
    return path


def answers(port: int, host: str = "127.0.0.1") -> bool:
    """Whether there is a server, by both transports."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as udp, socket.socket(family) as tcp:
        udp.settimeout(0.05)
        try:
            udp.connect((host, port))
            udp.send(BINDING_REQUEST)
            return bool(udp.recv(2048)) and tcp.connect_ex((host, port)) == 0
        except OSError:
            return False


@contextmanager
def bind_dead_turn_server(transport: str) -> Iterator[IceServer]:
    """A TURN server that takes everything and never answers."""
    kind = socket.SOCK_STREAM if transport == "tcp" else socket.SOCK_DGRAM
    with socket.socket(type=kind) as sock:
        sock.bind(("127.0.0.1", 0))
        if transport == "tcp":
            sock.listen()
        url = f"turn:127.0.0.1:{sock.getsockname()[1]}?transport={transport}"
        yield IceServer(url, *make_credentials())

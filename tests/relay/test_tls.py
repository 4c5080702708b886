"""The relay's certificate: what new connections see of it, and what broken files do to it."""

import datetime
import logging
import signal
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
import trustme
from cryptography.hazmat.primitives import serialization

from imgsync.core.protocol.errors import InputError
from imgsync.net.connect import open_relay_socket
from imgsync.net.http import Request, Response
from imgsync.net.ports import open_port, port_of
from imgsync.net.server import Site, serve_site
from imgsync.relay.tls import Certificate
from imgsync.tasks import open_background
from tests.kit.processes import LISTENING, START_S, open_child, our_relay, wait_until
from tests.kit.relays import Peer, register

WITHIN = 8.0
"""Seconds for one test on a loaded machine."""

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"

Stream = trio.SSLStream[trio.SocketStream]

AUTHORITY = trustme.CA()


class Pair:
    """The two files, as an administrator sees them."""

    def __init__(self, folder: Path) -> None:
        self.cert = folder / "fullchain.pem"
        self.key = folder / "privkey.pem"

    def issue(self, name: str, expires: datetime.datetime | None = None) -> "Pair":
        """Write a new certificate for 127.0.0.1, told from others by its name."""
        start = expires - datetime.timedelta(days=90) if expires else None
        leaf = AUTHORITY.issue_cert(
            "127.0.0.1", common_name=name, not_before=start, not_after=expires
        )
        leaf.private_key_pem.write_to_path(self.key)
        self.cert.write_bytes(b"".join(part.bytes() for part in leaf.cert_chain_pems))
        return self

    def damage(self, which: str, text: str | None) -> None:
        """Write something else into one of the two; None removes it."""
        path = {"cert": self.cert, "key": self.key}[which]
        path.unlink()
        if text is not None:
            path.write_text(text)

    def encrypt_key(self) -> None:
        key = serialization.load_pem_private_key(self.key.read_bytes(), None)
        pem = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
        self.key.write_bytes(pem)

    def load(self) -> Certificate:
        return Certificate(self.cert, self.key)


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return Pair(tmp_path).issue("first")


async def answer(_: Request) -> Response:
    return Response(200, b"ok\n")


@asynccontextmanager
async def open_site(certificate: Certificate) -> AsyncIterator[int]:
    """Yields the port."""
    with trio.fail_after(WITHIN):
        listeners = await open_port("127.0.0.1", 0, certificate.context)
        async with open_background() as nursery:
            await nursery.start(serve_site, Site(answer), listeners)
            yield port_of(listeners)


def trusting() -> ssl.SSLContext:
    context = ssl.create_default_context()
    AUTHORITY.configure_trust(context)
    return context


@asynccontextmanager
async def open_client(port: int, context: ssl.SSLContext | None = None) -> AsyncIterator[Stream]:
    stream = await trio.open_ssl_over_tcp_stream(
        "127.0.0.1", port, ssl_context=context or trusting(), https_compatible=True
    )
    async with stream:
        await stream.do_handshake()
        yield stream


def name_seen_by(stream: Stream) -> str:
    subject = dict(pair for (pair,) in stream.getpeercert()["subject"])
    return str(subject["commonName"])


async def name_seen_at(port: int) -> str:
    async with open_client(port) as stream:
        return name_seen_by(stream)


# ── what connections see ─────────────────────────────────────────────────────────────────────────


async def test_a_reload_changes_what_new_connections_see_and_running_ones_go_on(pair: Pair) -> None:
    certificate = pair.load()
    async with open_site(certificate) as port, open_client(port) as running:
        assert name_seen_by(running) == "first"
        pair.issue("second")
        assert await name_seen_at(port) == "first"
        certificate.reload()
        assert await name_seen_at(port) == "second"
        pair.issue("third")
        certificate.reload()
        assert await name_seen_at(port) == "third"
        await running.send_all(GET)
        assert (await running.receive_some()).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("broken", ["cert", "key"])
@pytest.mark.parametrize("text", ["", "no PEM", None])
async def test_a_broken_reload_keeps_what_was_there(
    pair: Pair, broken: str, text: str | None
) -> None:
    certificate = pair.load()
    async with open_site(certificate) as port:
        pair.issue("second")
        pair.damage(broken, text)
        with pytest.raises(InputError):
            certificate.reload()
        assert await name_seen_at(port) == "first"
        pair.issue("third")
        certificate.reload()
        assert await name_seen_at(port) == "third"


async def test_a_key_that_belongs_to_another_certificate_is_never_in_service(pair: Pair) -> None:
    certificate = pair.load()
    async with open_site(certificate) as port:
        old_key = pair.key.read_bytes()
        pair.issue("second")
        pair.key.write_bytes(old_key)
        with pytest.raises(InputError, match="do not belong together"):
            certificate.reload()
        assert await name_seen_at(port) == "first"


async def test_clients_that_name_no_host_get_the_new_certificate_too(pair: Pair) -> None:
    certificate = pair.load()
    pair.issue("second")
    certificate.reload()
    context = trusting()
    context.check_hostname = False
    async with open_site(certificate) as port:
        stream = trio.SSLStream(
            await trio.open_tcp_stream("127.0.0.1", port), context, https_compatible=True
        )
        async with stream:
            await stream.do_handshake()
            assert name_seen_by(stream) == "second"


async def test_the_whole_chain_is_sent(tmp_path: Path) -> None:
    pair = Pair(tmp_path)
    leaf = AUTHORITY.create_child_ca().issue_cert("127.0.0.1", common_name="below")
    leaf.private_key_pem.write_to_path(pair.key)
    pair.cert.write_bytes(b"".join(part.bytes() for part in leaf.cert_chain_pems))
    async with open_site(pair.load()) as port:
        assert await name_seen_at(port) == "below"


async def test_http_1_is_agreed_upon_over_tls_1_2_or_newer(pair: Pair) -> None:
    certificate = pair.load()
    pair.issue("second")
    certificate.reload()
    async with open_site(certificate) as port:
        context = trusting()
        context.set_alpn_protocols(["h2", "http/1.1"])
        async with open_client(port, context) as stream:
            assert stream.selected_alpn_protocol() == "http/1.1"
            assert stream.version() == "TLSv1.3"
        context = trusting()
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        async with open_client(port, context) as stream:
            assert stream.version() == "TLSv1.2"
    assert certificate.context.minimum_version == ssl.TLSVersion.TLSv1_2


# ── files ────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_wrong_is_said_in_a_sentence_with_the_file(pair: Pair) -> None:
    with pytest.raises(InputError, match=r"can't read the certificate \S+/none.pem: No such file"):
        Certificate(pair.cert.with_name("none.pem"), pair.key)
    with pytest.raises(InputError, match=r"can't read the private key \S+: Is a directory"):
        Certificate(pair.cert, pair.key.parent)
    with pytest.raises(InputError, match=r"privkey.pem holds no certificate in PEM form"):
        Certificate(pair.key, pair.cert)
    with pytest.raises(InputError, match=r"fullchain.pem holds no private key in PEM form"):
        Certificate(pair.cert, pair.cert)
    pair.cert.write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    with pytest.raises(InputError, match="one of them is damaged"):
        pair.load()


async def test_commentary_around_a_certificate_may_be_in_any_script(pair: Pair) -> None:
    certificate = pair.issue("first").load()
    async with open_site(certificate) as port:
        pair.issue("second")
        commented = "# friendlyName: Müller & Söhne ☃\n".encode() + pair.cert.read_bytes()
        pair.cert.write_bytes(commented)
        certificate.reload()
        assert await name_seen_at(port) == "second"


def test_an_encrypted_key_is_refused_and_nobody_is_asked_for_its_password(pair: Pair) -> None:
    pair.encrypt_key()
    program = f"""
from imgsync.core.protocol.errors import InputError
from imgsync.relay.tls import Certificate
from tests.kit.processes import LISTENING, START_S, open_child, our_relay, wait_until
from tests.kit.relays import Peer, register
try:
    Certificate({str(pair.cert)!r}, {str(pair.key)!r})
except InputError as exc:
    print(exc)
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
        start_new_session=True,
    )
    assert "it is encrypted; decrypt it first" in done.stdout
    assert done.stderr == ""


def test_an_expired_certificate_is_used_with_a_warning(
    pair: Pair, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    pair.issue("now").load()
    assert not caplog.records
    pair.issue("old", expires=datetime.datetime(2020, 1, 1)).load()
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert caplog.messages[0].endswith("certificate has expired")


# ── the relay as a process ───────────────────────────────────────────────────────────────────────


# Under nohup as well, like other servers: here it means no end, which is what nohup is against.
@pytest.mark.parametrize("start", [(), ("sh", "-c", 'trap "" HUP; exec "$@"', "sh")])
async def test_a_hangup_makes_a_running_relay_read_its_certificate_again(
    start: tuple[str, ...], pair: Pair
) -> None:
    files = ("--tls-cert", str(pair.cert), "--tls-key", str(pair.key))
    async with open_child("relay", *start, *our_relay(*files)) as relay:
        url = (await relay.wait_line(START_S)).removeprefix(LISTENING)
        assert url.startswith("wss://127.0.0.1:")
        port = int(url.rpartition(":")[2].removesuffix("/ws"))

        async def hang_up(said: str) -> None:
            relay.process.send_signal(signal.SIGHUP)
            await wait_until(lambda: said in relay.read_errors(), f"{said!r} in the log")

        with trio.fail_after(START_S):
            async with open_relay_socket(url, tls=trusting()) as socket:
                pair.issue("second")
                await hang_up("new connections get the certificate")
                assert await name_seen_at(port) == "second"
                pair.damage("key", "no PEM")
                await hang_up("holds no private key in PEM form")
                assert await name_seen_at(port) == "second"
                socket.post(register("c", "client"))
                await Peer(socket).next("registered")
        relay.process.terminate()
        assert await relay.wait_exit() == 0

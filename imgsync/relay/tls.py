"""The relay's certificate, which can be exchanged while the relay runs.

The listeners keep one SSLContext for good; what is loaded later takes its place at the hello of
each new connection. So a new pair is in service as a whole or not at all, and the connections that
are there go on.
"""

import logging
import ssl
from contextlib import suppress
from pathlib import Path

from imgsync.core.protocol.errors import InputError

log = logging.getLogger(__name__)

_FLIGHTS = 3
"""What each side has to say in a handshake, at most."""


class Certificate:
    """A certificate with its key, from two PEM files; the chain stands behind the certificate.

    Raises InputError.
    """

    def __init__(self, cert_path: str | Path, key_path: str | Path) -> None:
        self._cert_path = Path(cert_path)
        self._key_path = Path(key_path)
        #: For the listeners, as long as they live; and what new connections get.
        self.context = self._current = self._load()
        self.context.sni_callback = self._answer_hello

    def reload(self) -> None:
        """Read both files again. Raises InputError, and then what was there stays in service."""
        self._current = self._load()
        log.info("new connections get the certificate of %s", self._cert_path)

    def _answer_hello(
        self, connection: ssl.SSLObject | ssl.SSLSocket, name: str, context: ssl.SSLContext
    ) -> None:
        """Called at every hello, with a name in it or without."""
        connection.context = self._current

    def _load(self) -> ssl.SSLContext:
        certificate = _read(self._cert_path, "certificate", "BEGIN CERTIFICATE-----")
        _read(self._key_path, "private key", "PRIVATE KEY-----")
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        # Clients could make the relay work for nothing; OpenSSL 1.1.1 would let them.
        context.options |= ssl.OP_NO_RENEGOTIATION
        context.set_alpn_protocols(["http/1.1"])
        asked: list[bool] = []

        def password() -> str:
            # Without this, OpenSSL would ask on the terminal.
            asked.append(True)
            return "-"

        try:
            context.load_cert_chain(self._cert_path, self._key_path, password)
        except OSError as exc:  # ssl.SSLError is one
            why = "it is encrypted; decrypt it first" if asked else _why(exc)
            raise InputError(
                f"can't use the key {self._key_path} with the certificate {self._cert_path}: {why}"
            ) from exc
        if (problem := _problem_of(context, certificate)) is not None:
            log.warning("peers will refuse the certificate %s: %s", self._cert_path, problem)
        return context


def _read(path: Path, what: str, mark: str) -> str:
    """A PEM file's text; a sentence where it is none, or not of this kind."""
    try:
        text = path.read_bytes().decode("latin-1")
    except OSError as exc:
        raise InputError(f"can't read the {what} {path}: {exc.strerror}") from exc
    if mark not in text:
        raise InputError(f"{path} holds no {what} in PEM form")
    return text


def _why(exc: OSError) -> str:
    match getattr(exc, "reason", None):
        case "KEY_VALUES_MISMATCH" | "KEY_TYPE_MISMATCH":
            return "the two do not belong together"
        case "EE_KEY_TOO_SMALL" | "CA_KEY_TOO_SMALL" | "CA_MD_TOO_WEAK":
            return "too weak; make a stronger pair"
        case None:
            return "one of them is damaged"
        case reason:
            return f"OpenSSL says {reason}"


def _problem_of(context: ssl.SSLContext, certificate: str) -> str | None:
    """Why even a client that trusts this very certificate would refuse it, such as its expiry.

    Found by a handshake in memory: the standard library has no other public way to read the dates.
    """
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    try:
        # What stands around the blocks is commentary, in any script.
        client.load_verify_locations(cadata=certificate.encode("ascii", "ignore").decode())
        ours = client.wrap_bio(to_client, to_server)
        theirs = context.wrap_bio(to_server, to_client, server_side=True)
        for side in [ours, theirs] * _FLIGHTS:
            with suppress(ssl.SSLWantReadError):
                side.do_handshake()
    except ssl.SSLCertVerificationError as exc:
        return exc.verify_message
    except ssl.SSLError as exc:
        return str(exc)
    return None

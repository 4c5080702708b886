"""`python -m imgsync.relay`: the relay as a process."""

import argparse
import logging
import signal
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager

import trio

from imgsync.commands.common import run_command
from imgsync.commands.output import announce_line
from imgsync.commands.relay.options import (
    check,
    has_ice_files,
    ice_offer_of,
    make_parser,
    settings_of,
)
from imgsync.core.protocol.errors import InputError
from imgsync.net.hosts import with_port
from imgsync.net.ports import open_port, port_of
from imgsync.net.server import is_loopback
from imgsync.relay.garbage import collect_between
from imgsync.relay.logs import set_up_relay_logging
from imgsync.relay.server import Relay, open_relay
from imgsync.relay.tls import Certificate
from imgsync.tasks import open_background

log = logging.getLogger(__name__)


def main(arguments: Sequence[str] | None = None, prog: str = "python -m imgsync.relay") -> int:
    """Parse, run, and return the exit code."""
    parser = make_parser(prog)
    options = parser.parse_args(arguments)
    check(options, parser)
    set_up_relay_logging(options.log_format, logging.INFO)

    async def run() -> int:
        return await _serve(options)

    # What has read files reads them again at a hang-up; without any it ends, as commands do.
    return run_command(run, prog, until_signal=True, ends_on_hangup=not _reloads(options))


def _reloads(options: argparse.Namespace) -> bool:
    return options.tls_cert is not None or has_ice_files(options)


async def _serve(options: argparse.Namespace) -> int:
    if options.auth_secret_file is None:
        _check_exposure(options.host, options.no_auth)
    async with AsyncExitStack() as stack:
        hangups = None
        if _reloads(options) and hasattr(signal, "SIGHUP"):  # not so on Windows
            # Before anything else: a hang-up that nobody listens for kills the process.
            hangups = stack.enter_context(trio.open_signal_receiver(signal.SIGHUP))
        certificate = None
        if options.tls_cert is not None:
            certificate = Certificate(options.tls_cert, options.tls_key)
        settings = settings_of(options)
        tls = None if certificate is None else certificate.context
        listeners = await open_port(options.host, options.port, tls)
        collect_between()
        relay = await stack.enter_async_context(open_relay(listeners, settings))
        if hangups is not None:
            nursery = await stack.enter_async_context(open_background())
            nursery.start_soon(_reload, options, certificate, relay, hangups)
        scheme = "ws" if tls is None else "wss"
        where = with_port(options.host, port_of(listeners))
        await announce_line(f"listening on {scheme}://{where}/ws")
        await trio.sleep_forever()
    raise AssertionError("unreachable")


async def _reload(
    options: argparse.Namespace,
    certificate: Certificate | None,
    relay: Relay,
    hangups: AsyncIterator[int],
) -> None:
    async for _ in hangups:
        if certificate is not None:
            with _told("the certificate was not read again; the old one stays"):
                await trio.to_thread.run_sync(certificate.reload)
        if has_ice_files(options):
            with _told("the ICE servers were not read again; the old ones stay"):
                relay.offer(await trio.to_thread.run_sync(ice_offer_of, options))
                log.info("peers are told the ICE servers as they stand in the files now")


@contextmanager
def _told(what: str) -> Iterator[None]:
    try:
        yield
    except InputError as exc:
        log.error("%s: %s", what, exc)
    except Exception:
        log.exception("%s", what)


def _check_exposure(host: str, no_auth: bool) -> None:
    if no_auth or host == "localhost":
        return
    try:
        is_exposed = not is_loopback(host)
    except ValueError:  # a name, which may mean anything
        is_exposed = True
    if is_exposed:
        raise InputError(
            f"anybody who reaches {host} could register as anybody; ask for tokens with"
            " --auth-secret-file, say --no-auth if it is meant, or listen on 127.0.0.1"
        )

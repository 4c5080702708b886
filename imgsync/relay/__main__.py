"""`python -m imgsync.relay`: the relay as a process."""

from imgsync.interrupt import leave_on_ctrl_c

if __name__ == "__main__":
    leave_on_ctrl_c()

import argparse
import ipaddress
import logging
import sys
from collections.abc import Sequence

import trio

from imgsync.cli import print_line, run_command, set_up_logging
from imgsync.core.errors import InputError
from imgsync.core.messages import IceServer
from imgsync.net.server import open_port, port_of
from imgsync.relay.server import open_relay

DEFAULT_STUN = "stun:stun.l.google.com:19302"
NO_STUN = "none"


def main(arguments: Sequence[str] | None = None, prog: str = "python -m imgsync.relay") -> int:
    """Parse, run, and return the exit code."""
    options = _parser(prog).parse_args(arguments)
    set_up_logging(logging.INFO)

    async def run() -> int:
        _check_exposure(options.host, options.no_auth)
        listeners = await open_port(options.host, options.port)
        async with open_relay(listeners, _ice_servers(options.stun)):
            host = f"[{options.host}]" if ":" in options.host else options.host
            print_line(f"listening on ws://{host}:{port_of(listeners)}/ws")
            await trio.sleep_forever()

    return run_command(run, prog, until_signal=True)


def _parser(prog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Pass on the WebRTC handshake between evaluators and clients.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument(
        "--port", type=int, default=8765, help="port; 0 takes a free one (%(default)s)"
    )
    parser.add_argument(
        "--no-auth",
        action="store_true",
        help="listen on other addresses than loopback although anybody can register",
    )
    parser.add_argument(
        "--stun",
        action="append",
        metavar="URL",
        help=f"STUN server that peers are told to use ({DEFAULT_STUN}); '{NO_STUN}' for none",
    )
    return parser


def _check_exposure(host: str, no_auth: bool) -> None:
    if no_auth or host == "localhost":
        return
    try:
        is_loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback:
        raise InputError(
            f"anybody who reaches {host} could register as anybody;"
            " say --no-auth if that is meant, or listen on 127.0.0.1"
        )


def _ice_servers(urls: list[str] | None) -> list[IceServer]:
    return [IceServer(url) for url in urls or [DEFAULT_STUN] if url != NO_STUN]


if __name__ == "__main__":
    sys.exit(main())

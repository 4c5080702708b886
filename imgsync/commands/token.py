"""`imgsync token`: make a token that lets one peer register at a relay with the same secret."""

import argparse
import logging
from collections.abc import Sequence
from functools import partial

import trio

from imgsync.commands.common import run_command, set_up_logging, time_to_live
from imgsync.commands.output import print_line
from imgsync.core.protocol.signalling import Role
from imgsync.core.relay.identity import Claims
from imgsync.relay.tokens import mint_token, read_secret


def main(arguments: Sequence[str] | None = None, prog: str = "imgsync token") -> int:
    """Parse, run, and return the exit code."""
    parser = _parser(prog)
    options = parser.parse_args(arguments)
    role = Role(options.role)
    if options.client and role is Role.CLIENT:
        parser.error("--client says whom an evaluator sees; a client sees nobody")
    if options.invites and role is Role.CLIENT:
        parser.error("--invites lets an evaluator invite clients; a client invites nobody")
    set_up_logging(logging.WARNING)

    async def run() -> int:
        # Abandoned on Ctrl-C: the file may be a pipe into which nobody writes.
        read = partial(read_secret, options.secret_file)
        secret = await trio.to_thread.run_sync(read, abandon_on_cancel=True)
        clients = None if options.client is None else frozenset(options.client)
        claims = Claims(
            options.user, role, options.name, options.group, clients, invites=options.invites
        )
        print_line(mint_token(secret, claims, options.ttl))
        return 0

    return run_command(run, prog)


def _parser(prog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Make a token that lets one peer register at a relay with the same secret,"
        " and print it.",
    )
    parser.add_argument(
        "--secret-file", required=True, metavar="F", help="the relay's --auth-secret-file"
    )
    parser.add_argument("--user", required=True, metavar="ID", help="who may register with it")
    parser.add_argument(
        "--role", required=True, choices=[role.value for role in Role], help="and as what"
    )
    parser.add_argument(
        "--ttl",
        required=True,
        type=time_to_live,
        metavar="TIME",
        help="how long it can be used to register: 90s, 30m, 2h or 7d",
    )
    parser.add_argument(
        "--name", help="what the other side is shown; the peer's own choice if left out"
    )
    parser.add_argument(
        "--group",
        metavar="G",
        help="the group that a client is in, or whose clients an evaluator sees; all if left out",
    )
    parser.add_argument(
        "--client",
        action="append",
        metavar="ID",
        help="a client that an evaluator sees, and no others; of its group, where it has one"
        " (repeatable)",
    )
    parser.add_argument(
        "--invites",
        type=time_to_live,
        metavar="TIME",
        help="let an evaluator invite clients from the console, by links that are good for so long"
        " at most",
    )
    return parser

"""`imgsync invite`: print the link by which one participant comes in, and its QR code."""

import argparse
import logging
import math
import re
import shutil
import sys
import time
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from os import environ
from pathlib import Path

import attrs
import trio

from imgsync.commands.common import run_command, set_up_logging, time_to_live
from imgsync.commands.invite.code import Code, Style
from imgsync.commands.invite.page import languages, page_beside, warnings_of
from imgsync.commands.output import IF_KNOWN, dump_event, print_line
from imgsync.core.codec.strict import structure
from imgsync.core.protocol.errors import InputError, MissingExtra
from imgsync.core.protocol.invitation import make_link
from imgsync.core.protocol.signalling import Group, Name, Role, UserId
from imgsync.core.relay.identity import Claims
from imgsync.relay.tokens import read_secret, sign_claims

log = logging.getLogger(__name__)

DEVICES = ("camera", "microphone")

USUAL_TTL = 2 * 3600
"""Seconds: a session and what comes before it."""

_TOO_WIDE = (
    "(The QR code does not fit into {} columns; widen the terminal, or have a picture of it with"
    " --svg or --png.)"
)

_TAG = re.compile(r"[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*")


@attrs.frozen
class Invitation:
    """For programs; `expires_at` is in milliseconds since the Unix epoch."""

    EVENT = "invitation"

    user: str
    link: str
    expires_at: int | None = attrs.field(default=None, metadata=IF_KNOWN)

    @property
    def prose(self) -> str:
        """What a person is to know of it, below the link."""
        if self.expires_at is None:
            return f"It is for {self.user}, at a relay that asks for no token: it holds none."
        return (
            f"It lets {self.user} in until {_name_time(self.expires_at / 1000)}."
            " Whoever has it can come in as that one person: send it to nobody else."
        )


@attrs.frozen
class _Who:
    """What a relay takes."""

    user: UserId
    name: Name | None
    group: Group | None


def main(arguments: Sequence[str] | None = None, prog: str = "imgsync invite") -> int:
    """Parse, run, and return the exit code."""
    parser = _parser(prog)
    options = parser.parse_args(arguments)
    if options.secret_file is None:
        for option in ("ttl", "name", "group"):
            if getattr(options, option) is not None:
                parser.error(f"--{option} stands in the token, which takes --secret-file")
    set_up_logging(logging.WARNING)

    async def run() -> int:
        # Abandoned on Ctrl-C: the file may be a pipe into which nobody writes.
        invite = partial(_invite, options)
        invitation = await trio.to_thread.run_sync(invite, abandon_on_cancel=True)
        _tell(invitation, options)
        for warning in warnings_of(options.relay):
            log.warning("%s", warning)
        return 0

    return run_command(run, prog)


def _parser(prog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Print the link by which one participant comes in, with its QR code where"
        " stdout is a terminal.",
    )
    parser.add_argument(
        "--relay", required=True, metavar="URL", help="wss://HOST/ws, as the participant reaches it"
    )
    parser.add_argument("--user", required=True, metavar="ID", help="whom the link is for")
    parser.add_argument(
        "--secret-file",
        metavar="F",
        help="the relay's --auth-secret-file, where it has one: then the link holds a token",
    )
    parser.add_argument(
        "--ttl",
        type=time_to_live,
        metavar="TIME",
        help="how long the token can be used to come in: 90s, 30m, 2h (the default) or 7d",
    )
    parser.add_argument("--name", help="what the evaluator is shown; by default the id")
    parser.add_argument("--group", metavar="G", help="the group that the participant is in")
    parser.add_argument(
        "--record",
        type=_devices,
        default=(),
        metavar="DEVICES",
        help="what is recorded of the participant: camera, microphone or camera,microphone",
    )
    parser.add_argument(
        "--lang",
        type=_language,
        metavar="TAG",
        help=f"what the page speaks ({', '.join(languages())}); by default what the browser does",
    )
    parser.add_argument("--svg", type=Path, metavar="FILE", help="write the QR code as SVG")
    parser.add_argument("--png", type=Path, metavar="FILE", help="write the QR code as PNG")
    parser.add_argument("--json", action="store_true", help="print one JSON object, and no QR code")
    return parser


def _devices(text: str) -> tuple[str, ...]:
    """An argparse type: in our order."""
    named = text.split(",")
    if not set(named) <= {*DEVICES}:
        raise argparse.ArgumentTypeError(
            f"{text!r} is none of camera, microphone and camera,microphone"
        )
    return tuple(device for device in DEVICES if device in named)


def _language(text: str) -> str:
    """An argparse type: a tag of BCP 47, with or without a region."""
    there = languages()
    if text.partition("-")[0].lower() not in there or _TAG.fullmatch(text) is None:
        raise argparse.ArgumentTypeError(
            f"the pages don't speak {text!r}; they speak {', '.join(there)}"
        )
    return text


def _invite(options: argparse.Namespace) -> Invitation:
    """Raises InputError and MissingExtra."""
    page = page_beside(options.relay)
    who = {"user": options.user, "name": options.name, "group": options.group}
    try:
        structure(who, _Who, "invitation")
    except ValueError as exc:
        raise InputError(f"no relay takes this ({exc}); choose another value") from None
    token = expires_at = None
    if options.secret_file is not None:
        secret, ttl = read_secret(options.secret_file), options.ttl or USUAL_TTL
        expires_at = math.ceil(time.time() + ttl)
        claims = Claims(options.user, Role.CLIENT, options.name, options.group)
        token = sign_claims(secret, attrs.evolve(claims, expires_at=expires_at))
    link = make_link(page, options.user, language=options.lang, devices=options.record, token=token)
    return Invitation(options.user, link, None if expires_at is None else 1000 * expires_at)


def _tell(invitation: Invitation, options: argparse.Namespace) -> None:
    """Print the link before anything that may fail: pictures take segno, and files to write to."""
    is_seen = not options.json and sys.stdout is not None and sys.stdout.isatty()
    print_line(dump_event(invitation) if options.json else invitation.link)
    code: Code | None = None
    try:
        if is_seen or options.svg or options.png:
            code = Code(invitation.link)
    except MissingExtra as exc:
        if options.svg or options.png:
            raise
        log.warning("%s", exc)
    if is_seen:
        if code is not None:
            _draw(code)
        print_line(invitation.prose)
    for kind in ("svg", "png"):
        path: Path | None = getattr(options, kind)
        if path is not None and code is not None:
            code.save(path, kind)


def _draw(code: Code) -> None:
    columns = shutil.get_terminal_size().columns
    lines = code.lines(Style.of(sys.stdout.encoding, columns, environ))
    for line in lines or [_TOO_WIDE.format(columns)]:
        print_line(line)


def _name_time(seconds: float) -> str:
    """In local time, with its zone."""
    return f"{datetime.fromtimestamp(seconds).astimezone():%H:%M %Z on %A %d %B %Y}"

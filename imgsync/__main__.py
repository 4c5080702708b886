"""`imgsync COMMAND`, and `python -m imgsync COMMAND`."""

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn

from imgsync import __version__
from imgsync.commands.signals import leave_on_ctrl_c, leave_with

_COMMANDS = {
    "demo": ("demo", "relay, evaluator and client on this machine, with real pictures"),
    "relay": ("relay.main", "pass on the WebRTC handshake"),
    "evaluator": ("evaluator.main", "show images to a remote client"),
    "client": ("client.main", "wait for sessions and follow them"),
    "doctor": ("doctor.main", "check what a session from here needs, part by part"),
    "report": ("report.main", "tables and plots from the records of sessions"),
    "study": ("study", "check a study before anybody sees it"),
    "invite": ("invite.main", "a link and a QR code by which one participant comes in"),
    "token": ("token", "let somebody register at a relay that asks for it"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Hand the rest of the command line to the command that it begins with."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    parser = argparse.ArgumentParser(
        prog="imgsync",
        description="Drive which image a remote viewer sees, and know when it arrived.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="commands:\n"
        + "\n".join(f"  {name:<10} {what}" for name, (_, what) in _COMMANDS.items())
        + "\n\n'imgsync COMMAND --help' tells more.",
    )
    parser.add_argument("--version", action="version", version=f"imgsync {__version__}")
    parser.add_argument("command", choices=_COMMANDS, metavar="COMMAND", help="see below")
    command = parser.parse_args(words[:1]).command
    module, _ = _COMMANDS[command]
    code: int = import_module(f"imgsync.commands.{module}").main(words[1:], f"imgsync {command}")
    return code


def run() -> NoReturn:
    """A process of our own, with its signals."""
    leave_on_ctrl_c()
    leave_with(main())


if __name__ == "__main__":
    run()

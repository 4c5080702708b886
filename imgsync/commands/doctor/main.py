"""`imgsync doctor`: would a session work from here?"""

import argparse
import logging
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import imgsync
from imgsync.commands.common import (
    EXIT_FAILED,
    add_ice_address,
    add_output_options,
    add_token_options,
    run_command,
    set_up_logging,
    token_of,
)
from imgsync.commands.output import Output
from imgsync.core.protocol.signalling import Role

if TYPE_CHECKING:
    from imgsync.commands.doctor.findings import Finding


def main(arguments: Sequence[str] | None = None, prog: str = "imgsync doctor") -> int:
    """Parse, run, and return the exit code."""
    options = _parser(prog).parse_args(arguments)
    set_up_logging(logging.INFO if options.verbose else logging.ERROR)

    async def run() -> int:
        return await _examine(options, prog)

    return run_command(run, prog)


def _parser(prog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Check from this machine what a session needs: the relay, WebSockets, the"
        " token, the clock, STUN and TURN servers, a data channel by each way, and the image host."
        " Prints a line for each, with what to do.",
    )
    parser.add_argument(
        "source",
        metavar="SOURCE",
        nargs="?",
        help="folder or manifest whose image host to try; by default sample images",
    )
    parser.add_argument("--relay", required=True, metavar="URL", help="ws://HOST:PORT/ws")
    parser.add_argument(
        "--user", metavar="ID", help="whom to register as; by default whom the token names"
    )
    parser.add_argument(
        "--role",
        choices=[role.value for role in Role],
        help="as what; by default what the token says, or evaluator",
    )
    add_token_options(parser)
    add_ice_address(parser)
    add_output_options(parser)
    return parser


async def _examine(options: argparse.Namespace, prog: str) -> int:
    # Here and not above: aiortc takes long to load, and a wrong flag should be refused at once.
    from imgsync.commands.doctor.examination import examine
    from imgsync.commands.doctor.findings import ExaminationSummary, Result
    from imgsync.commands.doctor.relay import Account

    output = Output(as_json=options.json)
    counts: Counter[Result] = Counter()

    def report(finding: "Finding") -> None:
        counts[finding.result] += 1
        output.write(finding)

    role = None if options.role is None else Role(options.role)
    account = Account(user_id=options.user, role=role, token=token_of(options))
    source = Path(options.source or Path(imgsync.__file__).parent / "samples")
    await examine(options.relay, account, source, options.ice_address, report)
    failed = counts[Result.FAILED]
    output.write(
        ExaminationSummary(checks=counts.total(), failed=failed, warnings=counts[Result.WARNING])
    )
    if failed:
        print(f"{prog}: {failed} of {counts.total()} checks failed; see above", file=sys.stderr)
        return EXIT_FAILED
    return 0

"""Peers that share none of our stack, as commands: see `tests/other_peers`."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

PEERS = Path(__file__).parents[1] / "other_peers"

IMAGES = 7
"""What a foreign evaluator shows."""

MakeNode = Callable[..., tuple[str, ...]]
"""Makes a command line of a role, a relay's URL and options."""


def require(found: object, missing: str) -> None:
    """Skip for want of a component, except where it has to be there."""
    if found:
        return
    if os.environ.get("CI") == "true":
        pytest.fail(missing, pytrace=False)
    pytest.skip(missing)


def find_node() -> MakeNode:
    """What makes the command line of a peer in Node; skips the test where there is none."""
    program = _find_program()

    def command(role: str, relay_url: str, *options: str) -> tuple[str, ...]:
        user = ("--user", "C") if role == "client" else ("--user", "E", "--client", "C")
        start = (program, "--experimental-websocket", str(PEERS / "node.mjs"), role)
        return (*start, "--relay", relay_url, *user, "--images", str(IMAGES), *options)

    return command


def find_node_link() -> tuple[str, str]:
    """The command line of a bare connection in Node; skips the test where there is none."""
    return _find_program(), str(PEERS / "link.mjs")


def _find_program() -> str:
    program = shutil.which("node")
    require(program, "node is not installed")
    wrtc = PEERS / "node_modules" / "@roamhq" / "wrtc"
    require(wrtc.is_dir(), f"@roamhq/wrtc is not installed: npm install in {PEERS.name}/")
    return str(program)

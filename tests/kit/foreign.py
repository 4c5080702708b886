"""Peers that share none of our stack, as commands: see `tests/other_peers`."""

import functools
import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

PEERS = Path(__file__).parents[1] / "other_peers"

IMAGES = 7
"""What a foreign evaluator shows."""

STACKS = ("wrtc", "werift", "libdatachannel", "pion", "webrtcbin")
"""What a peer outside of a browser can stand on; the first three are in Node."""

MakePeer = Callable[..., tuple[str, ...]]
"""Makes a command line of a role, a relay's URL and options."""


class MissingError(Exception):
    """What a peer stands on is not installed; the message says what that is, and how to have it."""


def require(found: object, missing: str) -> None:
    """Skip for want of a component, except where it has to be there."""
    if found:
        return
    if os.environ.get("CI") == "true":
        pytest.fail(missing, pytrace=False)
    pytest.skip(missing)


def find_peer(stack: str = "wrtc") -> MakePeer:
    """What makes the command line of a peer on one of STACKS; skips the test where it can't be."""
    try:
        return find_command(stack)
    except MissingError as exc:
        require(None, str(exc))
        raise


def find_node_link() -> tuple[str, str]:
    """The command line of a bare connection in Node; skips the test where there is none."""
    program = find_peer()("client", "")[0]
    return program, str(PEERS / "link.mjs")


def find_command(stack: str) -> MakePeer:
    """As `find_peer`, outside of a test. Raises MissingError."""
    program: tuple[str, ...]
    if stack == "pion":
        program = (str(_build_pion()),)
    elif stack == "webrtcbin":
        path = f"PYTHONPATH={PEERS.parents[1]}"
        program = ("env", path, _find_gstreamer(), "-m", "tests.other_peers.webrtcbin")
    else:
        program = (_find_node(stack), "--experimental-websocket", str(PEERS / "node.mjs"))
    named = () if stack in ("pion", "webrtcbin") else ("--stack", stack)

    def command(role: str, relay_url: str, *options: str) -> tuple[str, ...]:
        user = ("--user", "C") if role == "client" else ("--user", "E", "--client", "C")
        shared = ("--relay", relay_url, *user, "--images", str(IMAGES))
        return (*program, role, *shared, *named, *options)

    return command


# ── what each stands on ──────────────────────────────────────────────────────────────────────────

_PACKAGES = {"wrtc": "@roamhq/wrtc", "werift": "werift", "libdatachannel": "node-datachannel"}

_GO_PATH = Path("/usr/share/gocode")
"""Where Debian has the sources of Go's libraries; no module of theirs is to be loaded."""

_SYSTEM_PYTHON = "/usr/bin/python3"
"""The one that Debian's bindings of GStreamer belong to."""

_LOOK_FOR_WEBRTCBIN = """
import gi
for name in "Gst", "GstSdp", "GstWebRTC":
    gi.require_version(name, "1.0")
from gi.repository import Gst
Gst.init(None)
parts = "webrtcbin", "rtpbin", "nicesrc", "dtlsdec", "sctpdec"
raise SystemExit(not all(map(Gst.ElementFactory.find, parts)))
"""


def _find_node(stack: str) -> str:
    program = shutil.which("node")
    if program is None:
        raise MissingError("Node is not installed")
    package = _PACKAGES[stack]
    if not (PEERS / "node_modules" / package).is_dir():
        raise MissingError(f"{package} is not installed: run `npm install` in tests/{PEERS.name}")
    return program


@functools.cache
def _find_gstreamer() -> str:
    look = [_SYSTEM_PYTHON, "-c", _LOOK_FOR_WEBRTCBIN]
    if not Path(_SYSTEM_PYTHON).exists() or subprocess.run(look, capture_output=True).returncode:
        raise MissingError(
            f"{_SYSTEM_PYTHON} has no webrtcbin of GStreamer's: install python3-gi,"
            " gir1.2-gst-plugins-bad-1.0, gstreamer1.0-nice, gstreamer1.0-plugins-bad and"
            " gstreamer1.0-plugins-good"
        )
    return _SYSTEM_PYTHON


@functools.cache
def _build_pion() -> Path:
    """The program, built when it is wanted for the first time since its source was changed."""
    sources = sorted((PEERS / "pion").glob("*.go"))
    digest = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    program = cache / "imgsync-tests" / f"pion-{digest[:16]}"
    if program.exists():
        return program
    go = shutil.which("go")
    if go is None or not (_GO_PATH / "src/github.com/pion/webrtc").is_dir():
        raise MissingError(
            "Go with pion is not installed: install golang-go and golang-github-pion-webrtc.v3-dev"
        )
    program.parent.mkdir(parents=True, exist_ok=True)
    unfinished = program.with_suffix(f".{os.getpid()}")
    # Without a C compiler, too.
    env = os.environ | {"GOPATH": str(_GO_PATH), "GO111MODULE": "off", "CGO_ENABLED": "0"}
    subprocess.run([go, "build", "-o", unfinished, "."], cwd=PEERS / "pion", env=env, check=True)
    return unfinished.rename(program)

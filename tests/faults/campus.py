"""A host in a network that only a proxy leads out of, as on a campus or in a clinic.

inside 10.78.0.2 ── 10.78.0.1 outside, where a real proxy listens
                    10.79.0.1 outside, where all servers are: no route leads there from inside
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import attrs
import trio
import trustme

from tests.faults.hosts import require_namespaces, run_ip
from tests.kit.foreign import require
from tests.kit.processes import EXIT_S, LOOK_AGAIN_S, START_S, open_child
from tests.kit.turn_servers import SECRET

INSIDE, GATE, FAR = "10.78.0.2", "10.78.0.1", "10.79.0.1"

OPEN_PORT, LOGIN_PORT = 8888, 8889
"""Of the proxy that lets all through, and of the one that asks who we are."""

TURN_PORT, TURNS_PORT = 3478, 5349

LOGIN = "ann:c0ffee"

TINYPROXY = """
Port {port}
Listen {gate}
Timeout 600
MaxClients 50
LogLevel Connect
LogFile "{log}"
Allow {inside}
{login}
"""


@attrs.frozen
class Campus:
    """Both sides.

    :param mark: what the names of their namespaces begin with.
    :param folder: has the authority that the TURN server's certificate is of.
    """

    mark: str
    folder: Path

    @property
    def authority(self) -> Path:
        return self.folder / "authority.pem"

    def network_of(self, side: str) -> str:
        """The name of the namespace that what runs there is in."""
        return f"{self.mark}-{side}"

    def on(self, side: str) -> tuple[str, ...]:
        """What a command of others begins with that is to run there."""
        return ("ip", "netns", "exec", self.network_of(side))

    def asked(self, port: int) -> list[str]:
        """The first line of each request to a proxy, as it has told."""
        lines = self.log_of(port).read_text().splitlines()
        return [line.partition("): ")[2] for line in lines if "Request (" in line]

    def log_of(self, port: int) -> Path:
        return self.folder / f"proxy-{port}.log"


@asynccontextmanager
async def open_campus(folder: Path) -> AsyncIterator[Campus]:
    """Both sides, two proxies between them, and a TURN server outside."""
    for program in ("tinyproxy", "turnserver"):
        require(shutil.which(program), f"{program} is not installed")
    await require_namespaces()
    mark = f"imgsync-{uuid.uuid4().hex[:8]}"
    inside, outside = f"{mark}-inside", f"{mark}-outside"
    try:
        for name in (inside, outside):
            await run_ip("netns", "add", name)
            await run_ip("-n", name, "link", "set", "lo", "up")
        pair = ("type", "veth", "peer", "name", "eth0", "netns", outside)
        await run_ip("-n", inside, "link", "add", "eth0", *pair)
        for name, address in ((inside, INSIDE), (outside, GATE)):
            await run_ip("-n", name, "addr", "add", f"{address}/24", "dev", "eth0")
            await run_ip("-n", name, "link", "set", "eth0", "up")
        await run_ip("-n", outside, "addr", "add", f"{FAR}/32", "dev", "lo")
        campus = Campus(mark, folder)
        async with AsyncExitStack() as stack:
            for port in (OPEN_PORT, LOGIN_PORT):
                command = ("tinyproxy", "-d", "-c", str(_configure(campus, port)))
                await stack.enter_async_context(
                    open_child("proxy", *campus.on("outside"), *command)
                )
            await stack.enter_async_context(
                open_child("TURN server", *campus.on("outside"), *_turn_server(campus))
            )
            await _wait_listening(campus, OPEN_PORT, LOGIN_PORT, TURN_PORT, TURNS_PORT)
            yield campus
    finally:
        with trio.CancelScope(shield=True), trio.move_on_after(EXIT_S):
            for name in (inside, outside):
                await trio.run_process(("ip", "netns", "del", name), check=False)


def _configure(campus: Campus, port: int) -> Path:
    login = f"BasicAuth {LOGIN.replace(':', ' ')}" if port == LOGIN_PORT else ""
    path = campus.folder / f"proxy-{port}.conf"
    path.write_text(
        TINYPROXY.format(port=port, gate=GATE, inside=INSIDE, login=login, log=campus.log_of(port))
    )
    return path


def _turn_server(campus: Campus) -> tuple[str, ...]:
    folder = campus.folder
    authority = trustme.CA()
    authority.cert_pem.write_to_path(campus.authority)
    certificate = folder / "certificate.pem"
    authority.issue_cert(FAR).private_key_and_cert_chain_pem.write_to_path(certificate)
    options = {
        "listening-ip": FAR,
        "relay-ip": FAR,
        "listening-port": TURN_PORT,
        "tls-listening-port": TURNS_PORT,
        "static-auth-secret": SECRET,
        "realm": "imgsync.example",
        "cert": certificate,
        "pkey": certificate,
        "log-file": folder / "turn.log",
        "pidfile": folder / "turn.pid",
        "userdb": folder / "turn.users",
    }
    flags = ("use-auth-secret", "no-cli", "no-dtls", "no-udp", "simple-log", "no-stdout-log")
    words = [f"--{name}={value}" for name, value in options.items()]
    return ("turnserver", "-n", *words, *(f"--{flag}" for flag in flags))


async def _wait_listening(campus: Campus, *ports: int) -> None:
    look = (*campus.on("outside"), "ss", "-Hltn")
    with trio.fail_after(START_S):
        while True:
            done = await trio.run_process(look, capture_stdout=True)
            if all(f":{port} " in done.stdout.decode() for port in ports):
                return
            await trio.sleep(LOOK_AGAIN_S)

"""The STUN and TURN servers that the relay names, asked as a session asks them."""

import time
from collections.abc import Sequence

import attrs
import trio

from imgsync.commands.doctor.findings import Finding, Result
from imgsync.core.handshake.inputs import Gathered
from imgsync.core.handshake.sdp import Candidate, parse_candidate
from imgsync.core.protocol.ice import IceChoice
from imgsync.core.protocol.signalling import IceServer
from imgsync.net.hosts import with_port
from imgsync.rtc.bridge import Bridge
from imgsync.rtc.link import open_link
from imgsync.seams import LinkEvent, ServerFailed
from imgsync.tasks import Inbox

_UNAUTHORIZED = 401
_CREDENTIAL = (
    "the relay's --turn-secret-file and the server's static-auth-secret have to be the same, and"
    " both clocks right; a fixed account has to be the one that the service has handed out"
)
_NAMED_WRONG = "have whoever runs the relay mend it (--stun, --turn, --ice-servers-file)"
_UNREACHABLE = "check the URL, and that firewalls let {transport} through to it and back"


@attrs.frozen
class Checked:
    """What one server gave.

    :param candidate: reflexive or relayed; None where there was none.
    """

    server: IceServer
    candidate: Candidate | None
    finding: Finding


def findings_on_left_out(choice: IceChoice) -> list[Finding]:
    """What sessions don't ask of what the relay names."""
    found: list[Finding] = []
    for server in choice.left_out:
        check = "turn" if server.is_turn else "stun"
        if server.is_wrong:
            detail = f"no session can ask {server.url}, which the relay names: {server.why}"
            found.append(Finding(check, Result.WARNING, detail, _NAMED_WRONG))
        else:
            detail = f"{server.url} is not looked at, as no session asks it: {server.why}"
            found.append(Finding(check, Result.SKIPPED, detail))
    return found


async def check_servers(
    bridge: Bridge, choice: IceChoice, addresses: Sequence[str]
) -> list[Checked]:
    """Ask what sessions ask, all at once, as each that is dead takes its time.

    :param addresses: the only local addresses to use.
    """
    chosen = filter(None, (choice.stun, *choice.turn))
    servers = [server.as_entry for server in chosen]
    checked: dict[int, Checked] = {}

    async def check(place: int, server: IceServer) -> None:
        checked[place] = await _check_server(bridge, server, addresses)

    async with trio.open_nursery() as nursery:
        for place, server in enumerate(servers):
            nursery.start_soon(check, place, server)
    return [checked[place] for place in range(len(servers))]


async def _check_server(bridge: Bridge, server: IceServer, addresses: Sequence[str]) -> Checked:
    url = str(server.urls)
    name, _, _ = url.partition(":")
    check = "turn" if name in ("turn", "turns") else "stun"
    failure: ServerFailed | None = None
    before = time.perf_counter()
    async with open_link(bridge, [server], addresses) as link:
        events = Inbox[LinkEvent]()
        link.listen(events.put)
        await link.make_offer()
        while True:
            match await events.get():
                case Gathered(None):
                    break
                case Gathered(str(line)):
                    took = 1000 * (time.perf_counter() - before)
                    candidate = parse_candidate(line)
                    gave = "relays for us at" if check == "turn" else "sees us at"
                    detail = f"{url} {gave} {_where(candidate)}, in {took:.0f} ms"
                    return Checked(server, candidate, Finding(check, Result.OK, detail))
                case ServerFailed() as event:
                    failure = event
    return Checked(server, None, _explain(check, url, failure))


def _explain(check: str, url: str, failure: ServerFailed | None) -> Finding:
    if failure is None:
        advice = "look at its form, and whether this machine has an address"
        return Finding(check, Result.WARNING, f"{url} can't be asked from here", advice)
    if failure.code == _UNAUTHORIZED:
        detail = f"{url} refused the credential that the relay gave us (401 {failure.why})"
        return Finding(check, Result.FAILED, detail, _CREDENTIAL)
    if failure.code is not None:
        detail = f"{url} refused: {failure.code} {failure.why}"
        return Finding(check, Result.FAILED, detail, "its log and its quotas tell more")
    is_tcp = url.startswith("turns") or "transport=tcp" in url
    advice = _UNREACHABLE.format(transport="TCP" if is_tcp else "UDP")
    if check == "stun":  # which sessions can do without, as long as there is another way
        advice += ", or have the relay name another one (--stun)"
        return Finding(check, Result.WARNING, f"{url} gave no address: {failure.why}", advice)
    return Finding(check, Result.FAILED, f"{url} gave no address: {failure.why}", advice)


def _where(candidate: Candidate) -> str:
    address, port = candidate.line.split()[4:6]
    return with_port(address, port)

"""What nodes share of each user, as text and back.

    client:ID       its connections, and the session that it is in, with both of its sides
    evaluator:ID    its connections, and its sessions by their ids, each with whom

A socket is named BOOT/NUMBER: by the node that it is open at, and by its number there.
"""

import json
import math
from collections.abc import Iterable
from typing import Any

import attrs

from imgsync.core.protocol.signalling import (
    ClientEntry,
    Door,
    PresenceState,
    Role,
    SessionId,
    UserId,
)
from imgsync.core.relay.identity import Peer
from imgsync.core.relay.nodes.store import Boot, Key
from imgsync.core.relay.outputs import Socket
from imgsync.core.relay.session import Session, Side
from imgsync.core.relay.standings import Standing


@attrs.define
class Record:
    """What is shared of a user.

    :param peers: its connections, in the order in which they registered, or entered.
    :param session: of a client: the one that it is in.
    :param sessions: of an evaluator: with whom it is in which.
    """

    peers: list[Peer] = attrs.field(factory=list)
    session: Session | None = None
    sessions: dict[SessionId, UserId] = attrs.field(factory=dict)


def key_of(role: Role, user_id: UserId) -> Key:
    """Where the record of a user is."""
    # Asked for with every signal.
    return Key(("client:" if role is Role.CLIENT else "evaluator:") + user_id)


def user_of(key: Key) -> tuple[Role, UserId]:
    """Whose record it is."""
    role, _, user_id = key.partition(":")
    return Role(role), user_id


def name_socket(boot: Boot, number: int) -> str:
    """A socket as all nodes know it."""
    return f"{boot}/{number}"


def place_of(socket: Socket) -> tuple[Boot, int]:
    """At which node it is open, and its number there."""
    boot, _, number = str(socket).rpartition("/")
    return Boot(boot), int(number)


def boots_in(record: Record) -> frozenset[Boot]:
    """The nodes that have to know of it: those at which any of its connections is open."""
    return frozenset(place_of(peer.socket)[0] for peer in _all_peers(record))


def _all_peers(record: Record) -> Iterable[Peer]:
    yield from record.peers
    if record.session is not None:
        yield from record.session.concerned


def dump_record(record: Record) -> str | None:
    """None where there is nothing of this user."""
    if not record.peers and record.session is None and not record.sessions:
        return None
    data: dict[str, Any] = {"peers": [*map(_dump_peer, record.peers)]}
    if record.session is not None:
        data["session"] = _dump_session(record.session)
    if record.sessions:
        data["sessions"] = record.sessions
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False)


def load_record(text: str | None) -> Record:
    """The record of such a text."""
    if text is None:
        return Record()
    data = json.loads(text)
    session = data.get("session")
    return Record(
        [*map(_load_peer, data["peers"])],
        None if session is None else _load_session(session),
        data.get("sessions", {}),
    )


def dump_standing(standing: Standing) -> str:
    """Where a client stands, as all nodes are told of it."""
    entry = standing.entry
    data = [entry.state.value, entry.name, entry.features, standing.group]
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False)


def load_standing(client_id: UserId, text: str) -> Standing:
    """The standing of such a text."""
    state, name, features, group = json.loads(text)
    entry = ClientEntry(client_id, PresenceState(state), name, tuple(features))
    return Standing(entry, group)


# ── parts of it ──────────────────────────────────────────────────────────────────────────────────


def _dump_peer(peer: Peer) -> dict[str, Any]:
    data = {
        "socket": peer.socket,
        "user": peer.user_id,
        "name": peer.name,
        "role": peer.role.value,
        "group": peer.group,
        "clients": None if peer.clients is None else sorted(peer.clients),
        "features": peer.features,
        "told": peer.is_told_servers or None,
        "door": peer.door and peer.door.value,
        "until": None if peer.until == math.inf else peer.until,
    }
    return {name: value for name, value in data.items() if value is not None}


def _load_peer(data: dict[str, Any]) -> Peer:
    clients, door = data.get("clients"), data.get("door")
    return Peer(
        data["socket"],
        data["user"],
        data["name"],
        Role(data["role"]),
        data.get("group"),
        None if clients is None else frozenset(clients),
        tuple(data["features"]),
        data.get("told", False),
        None if door is None else Door(door),
        data.get("until", math.inf),
    )


def _dump_side(side: Side) -> dict[str, Any]:
    return {
        "peers": [*map(_dump_peer, side.peers)],
        "unknown": side.owner_unknown,
        "successors": [*map(_dump_peer, side.successors)],
        "newest": _dump_peer(side.newest),
        "until": None if side.until == math.inf else side.until,
    }


def _load_side(data: dict[str, Any]) -> Side:
    newest = _load_peer(data["newest"])
    # As it was made, with whoever is in it now.
    side = Side([newest], data["unknown"])
    side.peers = [*map(_load_peer, data["peers"])]
    side.successors = [*map(_load_peer, data["successors"])]
    side.until = math.inf if data["until"] is None else data["until"]
    return side


def _dump_session(session: Session) -> dict[str, Any]:
    started = session.started_by
    return {
        "id": session.id,
        "evaluator": _dump_side(session.evaluator),
        "client": _dump_side(session.client),
        "answered": session.is_answered,
        "starter": None if started is None else _dump_peer(started[0]),
        "ref": None if started is None else started[1],
        "early": session.takes_early,
    }


def _load_session(data: dict[str, Any]) -> Session:
    started = data["starter"]
    session = Session(
        data["id"],
        _load_side(data["evaluator"]),
        _load_side(data["client"]),
        data["answered"],
        None if started is None else (_load_peer(started), data["ref"]),
    )
    session.takes_early = data["early"]
    return session

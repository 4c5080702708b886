"""Who may register as whom, and which clients an evaluator may see: what a token says of both.

A token's `group` and `clients` each narrow whom an evaluator sees; with both, a client has to be in
the group and on the list, so that no claim that is added to a token can grant more. A client has
one group, or none. Who is not seen is to that evaluator as if it were not there.
"""

import math
from collections.abc import Callable, Sequence

import attrs

from imgsync.core.protocol.errors import Unauthorized
from imgsync.core.protocol.numbers import FEATURE_ICE_SERVERS
from imgsync.core.protocol.signalling import Door, Features, Group, Name, Register, Role, UserId
from imgsync.core.relay.outputs import Socket


@attrs.frozen
class Claims:
    """What a token says of its bearer; `name` None leaves the choice of it to the bearer.

    :param group: of a client: the one that it is in; of an evaluator: the one that it sees.
    :param clients: of an evaluator: those that it sees.
    :param expires_at: when it says so no more, seconds since the Unix epoch.
    :param invites: of an evaluator: for how many seconds at most it may have clients come in, by
        tokens that it asks the relay for; None where it may not.
    """

    user_id: UserId
    role: Role
    name: Name | None = None
    group: Group | None = None
    clients: frozenset[UserId] | None = None
    #: Two tokens that say the same are as good as each other while they are good.
    expires_at: float = attrs.field(default=math.inf, eq=False)
    invites: float | None = None


ReadToken = Callable[[str], Claims]
"""Takes a token apart if it is sound, and raises Unauthorized if it is not."""


@attrs.frozen
class Peer:
    """A registered socket and who it is.

    :param features: what it speaks with its peers.
    :param is_told_servers: whether it is told new ICE servers.
    :param door: of the page of a client: on which side of it whoever is there stands.
    :param until: when its token no longer carries a session, on the relay's clock.
    """

    socket: Socket
    user_id: UserId
    name: str
    role: Role
    group: Group | None = None
    clients: frozenset[UserId] | None = None
    features: Features = ()
    is_told_servers: bool = False
    door: Door | None = None
    until: float = attrs.field(default=math.inf, eq=False)

    @classmethod
    def of(cls, socket: Socket, claims: Claims, register: Register, until: float) -> "Peer":
        """Who registers so, with these claims."""
        name = claims.name or claims.user_id
        user_id, role = claims.user_id, claims.role
        spoken = tuple(name for name in register.features if name != FEATURE_ICE_SERVERS)
        told = FEATURE_ICE_SERVERS in register.features
        door = register.state if role is Role.CLIENT else None
        of_claims = (claims.group, claims.clients)
        return cls(socket, user_id, name, role, *of_claims, spoken, told, door, until)

    @property
    def is_waiting(self) -> bool:
        """Whether it is a page that nobody has touched yet."""
        return self.door is Door.WAITING

    def sees(self, client_id: UserId, group: Group | None) -> bool:
        """Whether an evaluator may know of a client that is in this group."""
        return self.group in (None, group) and (self.clients is None or client_id in self.clients)


def identify(register: Register, read_token: ReadToken | None) -> Claims:
    """Who this is from now on. Raises Unauthorized.

    :param read_token: None where everybody is who they say they are.
    """
    if read_token is None:
        return Claims(register.user_id, register.role, register.name)
    if register.token is None:
        raise Unauthorized("this relay asks for a token; send one with register")
    claims = read_token(register.token)
    if (claims.user_id, claims.role) != (register.user_id, register.role):
        raise Unauthorized("the token is for another user or role; ask for one of your own")
    return attrs.evolve(claims, name=register.name if claims.name is None else claims.name)


def common_features(peers: Sequence[Peer]) -> Features:
    """What all of them speak, each once, in the order of the first; nothing where there is none."""
    named = dict.fromkeys(name for peer in peers[:1] for name in peer.features)
    return tuple(name for name in named if all(name in peer.features for peer in peers))

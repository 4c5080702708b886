"""Who may register as whom: what a token says, held against what its bearer says."""

from collections.abc import Callable

import attrs

from imgsync.core.protocol.errors import Unauthorized
from imgsync.core.protocol.signalling import Name, Register, Role, UserId


@attrs.frozen
class Claims:
    """What a token says of its bearer; `name` None leaves the choice of it to the bearer."""

    user_id: UserId
    role: Role
    name: Name | None = None


ReadToken = Callable[[str], Claims]
"""Takes a token apart if it is sound, and raises Unauthorized if it is not."""


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

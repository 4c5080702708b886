"""The other side's consent, asked for as the core has it, in the place of aioice's own questions.

With the rest of this room, the only place that touches what is private to aioice; the canary tests
fail when one of these names goes. Stock aioice sends each question once and waits half a second
for its answer: it ends a connection that is slower, or that loses much, while it works.
"""

import asyncio
import random

from aioice import ice, stun

from imgsync.core.handshake.consent import REPEATED, Consent


def ask_for_consent(connection: ice.Connection) -> None:
    """Have a connection ask in this way, once it is there."""

    async def query_consent() -> None:
        consent = Consent(asyncio.get_running_loop().time())
        try:
            await _ask_until_expired(connection, consent)
        except TimeoutError:
            # `close` would cancel and await what is still to be its task, and that is us.
            connection._query_consent_task = None
            await connection.close()

    connection.query_consent = query_consent  # type: ignore[method-assign]


async def _ask_until_expired(connection: ice.Connection, consent: Consent) -> None:
    """Raises TimeoutError."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout_at(consent.expires_at) as patience:
        consent.asked(loop.time(), random.random())  # the check that has made the connection
        while True:
            await asyncio.sleep(consent.due - loop.time())
            consent.asked(loop.time(), random.random())
            if await _ask(connection):
                consent.answered(loop.time())
                patience.reschedule(consent.expires_at)


async def _ask(connection: ice.Connection) -> bool:
    """Whether there was an answer."""
    assert connection.remote_password is not None
    key = connection.remote_password.encode()
    answers = 0
    for pair in connection._nominated.values():
        question = connection.build_request(pair, nominate=False)
        try:
            await pair.protocol.request(
                question, pair.remote_addr, integrity_key=key, retransmissions=REPEATED
            )
        except stun.TransactionError:
            continue
        answers += 1
    return answers > 0

"""Follow a session by hooks: what an application does when an image comes, goes, and at the end."""

import logging
import math
from collections.abc import Awaitable, Callable

import trio

from imgsync.client.client import ClientSession, ReceivedImage
from imgsync.core.protocol.numbers import EXPOSURE_OVER
from imgsync.core.protocol.signalling import EndReason
from imgsync.core.study.running import exposure_of

log = logging.getLogger(__name__)

HOOK_DEADLINE = 5.0
"""Seconds for each of the last two hooks: a session that is over has to come to its end."""

ImageHook = Callable[[ReceivedImage], Awaitable[object]]
EndHook = Callable[[EndReason], Awaitable[object]]


async def _do_nothing(_: object) -> None:
    pass


async def follow(
    session: ClientSession,
    *,
    on_show: ImageHook,
    on_hide: ImageHook = _do_nothing,
    on_end: EndHook = _do_nothing,
) -> EndReason:
    """Take part in a session that is not entered yet, until it is over; returns why it ended.

    One hook runs at a time, and the next image waits for it: what takes long belongs into a task of
    the application's own. An error of a hook ends the session and comes out.

    :param on_show: puts an image on the screen. When it returns, the evaluator is told that it is
        shown, if `image.shown` or `image.failed` has not said so before.
    :param on_hide: takes it away: before the next one is shown, and at the end, also when this is
        cancelled. Not called for an image whose `on_show` did not return. `image.hidden` as above.
        Of a client that was opened with `trials`, also when an image was up for as long as
        `image.trial` asks, counted from the end of `on_show`; a frame is taken for one of 60 Hz.
    :param on_end: called once, after everything else, whatever the end was.
    """
    try:
        async with session:
            await _follow_images(session, on_show, on_hide)
    finally:
        # One that is cancelled before it has begun has no reason of its own.
        reason = session.end_reason or EndReason.ENDED
        with trio.move_on_after(HOOK_DEADLINE, shield=True) as scope:
            await on_end(reason)
        _tell_if_late(scope, "on_end")
    return reason


async def _follow_images(session: ClientSession, on_show: ImageHook, on_hide: ImageHook) -> None:
    on_screen: ReceivedImage | None = None
    hides_at = math.inf
    try:
        while True:
            image, is_over = None, True
            with trio.move_on_at(hides_at):
                image, is_over = await session.next_image(), False
            if on_screen is not None:
                former, on_screen, hides_at = on_screen, None, math.inf
                await on_hide(former)
                former.hidden(reason=EXPOSURE_OVER if is_over else None)
            if image is not None:
                await on_show(image)
                image.shown()
                on_screen, hides_at = image, _end_of(image, session)
            elif not is_over:
                return
    finally:
        if on_screen is not None:
            with trio.move_on_after(HOOK_DEADLINE, shield=True) as scope:
                await on_hide(on_screen)
            on_screen.hidden()
            _tell_if_late(scope, "on_hide")


def _end_of(image: ReceivedImage, session: ClientSession) -> float:
    """When its time is over, on Trio's clock."""
    asked = exposure_of(image.trial) if session.keeps_exposures else None
    return math.inf if asked is None else trio.current_time() + asked / 1000


def _tell_if_late(scope: trio.CancelScope, name: str) -> None:
    if scope.cancelled_caught:
        log.warning("%s was given up, it took longer than %g s", name, HOOK_DEADLINE)

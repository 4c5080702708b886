"""What a relay's port says by plain HTTP: how it is, what it counts, and the pages."""

import enum
from collections.abc import Callable

import trio

from imgsync.core.protocol.errors import MissingExtra
from imgsync.net.http import Request, Response, refuse
from imgsync.relay.admission import NOT_LOCAL, Admission, is_local
from imgsync.relay.inviting import Inviting
from imgsync.relay.metrics import CONTENT_TYPE
from imgsync.relay.observer import Observer
from imgsync.relay.pages import Pages

#: Nothing of it is secret, and the page that asks may be of another origin.
_FOR_ALL = (("access-control-allow-origin", "*"), ("cache-control", "no-store"))

_DRAINING = Response(503, b"draining\n", headers=_FOR_ALL)


class Health(enum.Enum):
    """How a relay is."""

    OK = "ok"
    #: It goes on, and can't reach what it shares with others.
    DEGRADED = "degraded"
    #: It goes away.
    DRAINING = "draining"


class Answers:
    """Of one relay.

    :param health: how it is.
    """

    def __init__(
        self,
        admission: Admission,
        observer: Observer,
        pages: Pages,
        inviting: Inviting,
        health: Callable[[], Health],
    ) -> None:
        self._admission = admission
        self._observer = observer
        self._inviting = inviting
        self._health = health
        self._pages = pages

    async def answer(self, request: Request) -> Response:
        """To a GET or a HEAD."""
        match request.path:
            case "/health":
                return self._answer_health(request)
            case "/metrics" if not is_local(request):
                return refuse(403, NOT_LOCAL)
            case "/metrics":
                try:
                    # In a thread: the first time, it loads a library.
                    text = await trio.to_thread.run_sync(self._observer.metrics.render)
                except MissingExtra as exc:
                    return refuse(501, str(exc))
                return Response(200, text, CONTENT_TYPE)
            case "/invite":
                return self._inviting.answer(request, self._admission.address_of(request))
        return self._pages.answer(request)

    def _answer_health(self, request: Request) -> Response:
        match self._health():
            case Health.OK:
                return Response(200, self._admission.greet(request), headers=_FOR_ALL)
            case Health.DEGRADED:
                # To take it out of service would help nobody: all nodes are the same way.
                return Response(200, b"degraded\n", headers=_FOR_ALL)
            case Health.DRAINING:
                return _DRAINING

    def refuse_upgrade(self, request: Request) -> Response | None:
        """To whoever may not have a WebSocket; None for all others."""
        if self._health() is Health.DRAINING:
            # A proxy that has other nodes behind it hands the request on to one of them.
            self._observer.refused_while_draining()
            return _DRAINING
        refusal = self._admission.refuse_upgrade(request)
        if refusal is not None:
            what, remote = self._admission.advise(request), self._admission.address_of(request)
            self._observer.refused_origin(request.headers["origin"], what, remote)
        return refusal

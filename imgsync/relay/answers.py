"""What a relay's port says by plain HTTP: how it is, what it counts, and the pages."""

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


class Answers:
    """Of one relay.

    :param is_draining: whether it goes away.
    """

    def __init__(
        self,
        admission: Admission,
        observer: Observer,
        pages: Pages,
        inviting: Inviting,
        is_draining: Callable[[], bool],
    ) -> None:
        self._admission = admission
        self._observer = observer
        self._inviting = inviting
        self._is_draining = is_draining
        self._pages = pages

    async def answer(self, request: Request) -> Response:
        """To a GET or a HEAD."""
        match request.path:
            case "/health" if self._is_draining():
                return Response(503, b"draining\n", headers=_FOR_ALL)
            case "/health":
                return Response(200, self._admission.greet(request), headers=_FOR_ALL)
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

    def refuse_upgrade(self, request: Request) -> Response | None:
        """To a page that may not have a WebSocket; None for all others."""
        refusal = self._admission.refuse_upgrade(request)
        if refusal is not None:
            what, remote = self._admission.advise(request), self._admission.address_of(request)
            self._observer.refused_origin(request.headers["origin"], what, remote)
        return refusal

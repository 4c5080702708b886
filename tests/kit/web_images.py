"""A server of images for pages, some of which are not to be had."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import attrs
import trio

from imgsync.net.http import Request, Response, refuse
from imgsync.net.ports import open_port, port_of
from imgsync.net.server import Site, serve_site
from tests.kit.web_pages import WIDTH, make_png

#: What is said of drawings, as hosts do.
TYPES = {"drawn": "image/svg+xml", "stored": "application/octet-stream", "wide": "text/plain"}

EXPOSED = ("access-control-expose-headers", "content-range")


def make_svg(number: int, folder: str) -> bytes:
    size = WIDTH + number
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" width="{size}" height="{size}"/>'
    return svg.encode("utf-16-le" if folder == "wide" else "utf-8")


@attrs.define
class ImageServer:
    """Serves /N.png; some otherwise than one would wish."""

    origin: str = ""
    slow: trio.Event = attrs.field(factory=trio.Event)
    asked: list[str] = attrs.field(factory=list)

    async def answer(self, request: Request) -> Response:
        self.asked.append(request.path)
        cors: tuple[tuple[str, str], ...] = (("access-control-allow-origin", "*"),)
        folder, _, name = request.path.removeprefix("/").rpartition("/")
        match folder:
            case "refused":
                return refuse(403, "", *cors)
            case "failing" if self.asked.count(request.path) < 3:
                return refuse(503, "", *cors)
            case "broken":
                return Response(200, b"\x89PNG\r\n\x1a\n but not for long", "image/png", cors)
            case "closed":
                return refuse(403)
            case "foreign":
                return Response(200, b"II*\0 and so on", "image/png", cors)
            case "login":
                return Response(200, b"<!DOCTYPE html><p>Please log in.", "image/png", cors)
            case "slow":
                await self.slow.wait()
            case "guarded":
                cors = ()
            case "drawn" | "stored" | "wide":
                return Response(
                    200, make_svg(int(name.removesuffix(".svg")), folder), TYPES[folder], cors
                )
        png = make_png(WIDTH + int(name.removesuffix(".png")))
        match folder:
            case "cut":
                return Response(200, png[:-5], "image/png", cors)
            case "made":
                return Response(202, png, "image/svg+xml", cors)
            case "whole" | "part":
                count = len(png) + (folder == "part")
                part = ("content-range", f"bytes 0-{len(png) - 1}/{count}")
                return Response(206, png, "", (*cors, part, EXPOSED))
        return Response(200, png, "image/png", cors)

    def url(self, path: str) -> str:
        return f"{self.origin}/{path}"


@asynccontextmanager
async def open_images() -> AsyncIterator[ImageServer]:
    server = ImageServer()
    listeners = await open_port("127.0.0.1", 0)
    server.origin = f"http://127.0.0.1:{port_of(listeners)}"
    async with trio.open_nursery() as nursery:
        await nursery.start(partial(serve_site, Site(http=server.answer), listeners))
        yield server
        nursery.cancel_scope.cancel()

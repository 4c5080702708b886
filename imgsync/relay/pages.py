"""The pages of `imgsync/web`, served from a table that is made once: there is no path to traverse.

client.html        /client                  a page, at its name
js/peer/link.js    /web/js/peer/link.js     all else, under /web/; pages name it relative to
                                            themselves, so that a proxy may put the relay under
                                            any path

A page is told of all modules that its script imports, and theirs: it would learn of them one by
one, each a way to the relay and back later than the one before.
"""

import functools
import hashlib
import posixpath
import re
from collections.abc import Iterator, Mapping
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import PurePosixPath

import attrs

from imgsync.net.http import Request, Response, refuse

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}

_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        # Images come from whatever host the evaluator names, and the page knows it only then.
        "img-src * blob: data:",
        "connect-src * ws: wss:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)

_HEADERS = (
    ("content-security-policy", _POLICY),
    # The URL of a page may hold a token.
    ("referrer-policy", "no-referrer"),
    # Together they isolate a page, where the browser knows the second one (Chromium, Firefox): its
    # clock has steps of 5 to 20 us, not of 0.1 to 1 ms, and when an image was presented is as good,
    # not in steps of 4 ms. Images come from any host all the same, without cookies.
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-embedder-policy", "credentialless"),
    # Asked for each time, and sent only if it is another: pages and relay are of one version.
    ("cache-control", "no-cache"),
)


_SCRIPT = re.compile(rb'[ ]*<script type="module" src="web/([^"]+)">')
_IMPORT = re.compile(rb'^import [^;]*?from "(\.[^"]+)";', re.MULTILINE)


@attrs.frozen
class Pages:
    """What a relay serves to browsers, whole responses by path."""

    responses: Mapping[str, Response]

    def answer(self, request: Request) -> Response:
        """Answer a GET or a HEAD."""
        response = self.responses.get(request.path)
        if response is None:
            where = "peers connect to /ws, people to /client or /evaluator"
            return refuse(404, f"This is an imgsync relay; {where}.")
        tags = request.headers.get("if-none-match", "")
        if _tag_of(response) in (tag.strip().removeprefix("W/") for tag in tags.split(",")):
            return Response(304, headers=response.headers)
        return response


def _tag_of(response: Response) -> str:
    return dict(response.headers)["etag"]


@functools.cache
def load_pages() -> Pages:
    """Read them all, once."""
    root = resources.files("imgsync") / "web"
    files = {name: file.read_bytes() for name, file in _walk(root)}
    return Pages({_path_of(name): _respond(name, files) for name in files})


def _walk(folder: Traversable, before: str = "") -> Iterator[tuple[str, Traversable]]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        name = before + entry.name
        if entry.is_dir():
            yield from _walk(entry, f"{name}/")
        elif PurePosixPath(name).suffix in _TYPES:
            yield name, entry


def _path_of(name: str) -> str:
    page = name.removesuffix(".html")
    return f"/web/{name}" if page == name else f"/{page}"


def _respond(name: str, files: Mapping[str, bytes]) -> Response:
    body = files[name]
    if name.endswith(".html"):
        body = _SCRIPT.sub(lambda match: _preloads(match[1].decode(), files) + match[0], body)
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    kind = _TYPES[PurePosixPath(name).suffix]
    return Response(200, body, kind, (*_HEADERS, ("etag", tag)))


def _preloads(script: str, files: Mapping[str, bytes]) -> bytes:
    """Links to the modules behind a script, which names them relative to itself."""
    found: dict[str, None] = {}
    unread = [script]
    while unread:
        module = unread.pop()
        named = (part.decode() for part in _IMPORT.findall(files[module]))
        new = [name for part in named if (name := _beside(module, part)) not in found]
        found |= dict.fromkeys(new)
        unread += new
    links = (f'    <link rel="modulepreload" href="web/{name}" />\n' for name in found)
    return "".join(links).encode()


def _beside(module: str, named: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(module), named))

"""The pages of `imgsync/web`, served from a table that is made once: there is no path to traverse.

client.html        /client                          a page, at its name, asked for each time
client.html        /client?lang=de                  the same in German, for who wants that
js/peer/link.js    /web/VERSION/js/peer/link.js     all else, kept by browsers for good
                   /web/js/peer/link.js             the same, asked for each time

VERSION is a hash of all files. Pages and modules name each other relative to themselves, so that
all that a page loads is of one version, modules that import each other in a circle, too, and a
proxy may put the relay under any path. A page that was loaded before the relay was updated asks for
files that are no more: it gets none of another version, and is loaded anew. What a page says to
participants is in the language of who asks for it, and each language is a version: see
`languages.py`.

A script that a page waits for is written into it, and the page's policy names its hash: it runs
whatever else does not come. So runs what has a page loaded anew, `js/page/complete.js`.

A page is told of all modules that its scripts import, and theirs: it would learn of them one by
one, each a way to the relay and back later than the one before. Those that a script imports while
it runs are wanted last.
"""

import base64
import functools
import gzip
import hashlib
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import PurePosixPath
from urllib.parse import parse_qs

import attrs

from imgsync.core.relay.languages import ENGLISH, choose_language, wanted_languages
from imgsync.net.http import Request, Response, refuse
from imgsync.relay.languages import CHOSEN, Language, is_spoken, languages_in
from imgsync.relay.own_texts import OwnTexts

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}

_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src {scripts}",
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
    # The URL of a page may hold a token.
    ("referrer-policy", "no-referrer"),
    # Together they isolate a page, where the browser knows the second one (Chromium, Firefox): its
    # clock has steps of 5 to 20 us, not of 0.1 to 1 ms, and when an image was presented is as good,
    # not in steps of 4 ms. Images come from any host all the same, without cookies.
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-embedder-policy", "credentialless"),
)

_ASKED_EACH_TIME = "no-cache"
_KEPT = "public, max-age=31536000, immutable"

_SCRIPT = re.compile(rb'[ ]*<script type="module"[^>]* src="web/([^"]+)">')
_WAITED_FOR = re.compile(rb'<script src="web/([^"]+)"></script>')
_ASKS_LANGUAGES = re.compile(rb'(<meta name="languages" content=")(?=")')
_HEAD_END = re.compile(rb"[ ]*</head>")
_LINK = re.compile(rb' (src|href)="web/')
# What it runs as soon as it has it, and its looks. What is imported later and has broken off is
# refused to who imports it.
_BEGINS_WITH = re.compile(
    rb'(<(?:script|link rel="(?:stylesheet|modulepreload)")[^>]* (?:src|href)="web/([^"]+)")'
    rb"(?=>| />)"
)
_IMPORT = re.compile(rb'^import [^;]*?from "(\.[^"]+)";', re.MULTILINE)
_LATER = re.compile(rb'\bimport\("(\.[^"]+)"\)')
_VERSIONED = re.compile(r"/web/[0-9a-f]{16}/.+")
_GZIP = re.compile(r"gzip(\s*;(?!\s*q=0(\.0*)?\s*$).*)?")


@attrs.frozen
class Pages:
    """What a relay serves to browsers: whole responses by path, and those of them in gzip.

    :param responses: a page that is there in each language is at its path with `?lang=`.
    :param languages: their tags.
    """

    responses: Mapping[str, Response]
    gzipped: Mapping[str, Response]
    languages: tuple[str, ...]

    def answer(self, request: Request) -> Response:
        """Answer a GET or a HEAD."""
        takes_gzip = _takes_gzip(request.headers.get("accept-encoding", ""))
        responses = self.gzipped if takes_gzip else self.responses
        spoken = _in_language(request.path, self._language_of(request))
        response = responses.get(spoken) or responses.get(request.path)
        if response is None:
            return _answer_other(request.path)
        tags = request.headers.get("if-none-match", "")
        if _tag_of(response) in (tag.strip().removeprefix("W/") for tag in tags.split(",")):
            return Response(304, headers=response.headers)
        return response

    def _language_of(self, request: Request) -> str:
        asked = parse_qs(request.query).get("lang", [])
        wanted = wanted_languages(request.headers.get("accept-language", ""))
        return choose_language([*asked, *wanted], self.languages)


def _answer_other(path: str) -> Response:
    if _VERSIONED.fullmatch(path):
        not_kept = ("cache-control", "no-store")
        return refuse(404, "This is of another version than the relay.", not_kept)
    where = "peers connect to /ws, people to /client or /evaluator"
    return refuse(404, f"This is an imgsync relay; {where}.")


def _in_language(path: str, tag: str) -> str:
    return f"{path}?lang={tag}"


def _takes_gzip(accepted: str) -> bool:
    return any(_GZIP.fullmatch(coding.strip().lower()) for coding in accepted.split(","))


def _tag_of(response: Response) -> str:
    return dict(response.headers)["etag"]


@functools.cache
def load_pages() -> Pages:
    """Read them all, once."""
    return make_pages(_read_files())


def pages_with(own: OwnTexts) -> Pages:
    """The same, with what a study says itself."""
    return make_pages(_read_files(), own) if own else load_pages()


def _read_files() -> dict[str, bytes]:
    root = resources.files("imgsync") / "web"
    return {name: file.read_bytes() for name, file in _walk(root)}


def make_pages(files: Mapping[str, bytes], own: OwnTexts | None = None) -> Pages:
    """Of files by their names: those that end in `.html` are the pages."""
    languages = languages_in(files, own)
    # What is the same in all languages is made, and kept, once.
    respond, compress = functools.cache(_respond), functools.cache(_compress)
    responses: dict[str, Response] = {}
    for name, body in files.items():
        if not name.endswith(".html"):
            responses[f"/web/{name}"] = respond(body, _type_of(name), _ASKED_EACH_TIME)
    spoken: Sequence[Language | None] = languages or [None]
    for language in spoken:
        edition = files if language is None else {**files, CHOSEN: language.module}
        version = _version_of(edition)
        for name, body in edition.items():
            if not name.endswith(".html"):
                responses[f"/web/{version}/{name}"] = respond(body, _type_of(name), _KEPT)
            elif path := _path_of(name, body, language):
                page, scripts = _write_scripts(_name_languages(body, languages), edition)
                page = _name_hashes(_tell_modules(page, edition), edition)
                responses[path] = _respond_page(_name_version(page, version), scripts, language)
    gzipped = {path: compress(one) for path, one in responses.items()}
    return Pages(responses, gzipped, tuple(one.tag for one in languages))


def _version_of(files: Mapping[str, bytes]) -> str:
    contents = "".join(f"{name} {_hash(files[name])}\n" for name in sorted(files))
    return _hash(contents.encode())[:16]


def _path_of(name: str, page: bytes, language: Language | None) -> str | None:
    """Where the edition of a language has it; None where it has not, as the page is English."""
    path = f"/{name.removesuffix('.html')}"
    if language is not None and is_spoken(page):
        return _in_language(path, language.tag)
    return path if language is None or language.tag == ENGLISH else None


def _respond_page(page: bytes, scripts: tuple[bytes, ...], language: Language | None) -> Response:
    kind = _TYPES[".html"]
    if language is None or not is_spoken(page):
        return _respond(page, kind, _ASKED_EACH_TIME, scripts=scripts)
    return _respond(language.fill(page), kind, _ASKED_EACH_TIME, ", accept-language", scripts)


def _type_of(name: str) -> str:
    return _TYPES[PurePosixPath(name).suffix]


def _walk(folder: Traversable, before: str = "") -> Iterator[tuple[str, Traversable]]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        name = before + entry.name
        if entry.is_dir():
            yield from _walk(entry, f"{name}/")
        elif PurePosixPath(name).suffix in _TYPES:
            yield name, entry


def _hash(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def _respond(
    body: bytes, kind: str, cache: str, varies: str = "", scripts: tuple[bytes, ...] = ()
) -> Response:
    """:param scripts: that are written into it."""
    about = (
        ("content-security-policy", _POLICY.format(scripts=" ".join(_sources_of(scripts)))),
        ("cache-control", cache),
        ("vary", f"accept-encoding{varies}"),
        ("etag", f'"{_hash(body)[:32]}"'),
    )
    return Response(200, body, kind, (*_HEADERS, *about))


def _sources_of(scripts: Iterable[bytes]) -> Iterator[str]:
    """Where a page may have scripts from (CSP 3, section 2.3.1)."""
    yield "'self'"
    yield from (f"'{_integrity_of(script)}'" for script in scripts)


def _integrity_of(body: bytes) -> str:
    """As pages name it (Subresource Integrity, section 3.5)."""
    return f"sha256-{base64.b64encode(hashlib.sha256(body).digest()).decode()}"


def _compress(response: Response) -> Response:
    *others, (_, tag) = response.headers
    # A tag is of the bytes that are sent (RFC 9110, section 8.8.3.3).
    headers = (*others, ("content-encoding", "gzip"), ("etag", f'{tag[:-1]}-gzip"'))
    assert isinstance(response.body, bytes)
    return attrs.evolve(response, body=gzip.compress(response.body, mtime=0), headers=headers)


# ── what a page names ────────────────────────────────────────────────────────────────────────────


def _name_languages(page: bytes, languages: Iterable[Language]) -> bytes:
    """Those in which a page can have something written, where it asks which there are."""
    tags = " ".join(language.tag for language in languages)
    return _ASKS_LANGUAGES.sub(lambda match: match[1] + tags.encode(), page)


def _name_hashes(page: bytes, files: Mapping[str, bytes]) -> bytes:
    """Of what it begins with: Firefox takes a file for whole that has broken off."""

    def name(match: re.Match[bytes]) -> bytes:
        return match[1] + f' integrity="{_integrity_of(files[match[2].decode()])}"'.encode()

    return _BEGINS_WITH.sub(name, page)


def _name_version(page: bytes, version: str) -> bytes:
    return _LINK.sub(rf' \1="web/{version}/'.encode(), page)


def _write_scripts(page: bytes, files: Mapping[str, bytes]) -> tuple[bytes, tuple[bytes, ...]]:
    """What it waits for; returns that, too."""
    scripts: list[bytes] = []

    def write(match: re.Match[bytes]) -> bytes:
        # So browsers read the ends of lines, however they are written, and so they hash them.
        scripts.append(files[match[1].decode()].replace(b"\r\n", b"\n"))
        return b"<script>" + scripts[-1] + b"</script>"

    return _WAITED_FOR.sub(write, page), tuple(scripts)


def _scripts_of(page: bytes) -> list[str]:
    return [name.decode() for name in _SCRIPT.findall(page)]


def _tell_modules(page: bytes, files: Mapping[str, bytes]) -> bytes:
    """Links to the modules behind its scripts: before each those that it waits for."""
    scripts = _scripts_of(page)
    told = dict.fromkeys(scripts)

    def link(modules: Iterable[str], more: str = "") -> bytes:
        new = [name for name in dict.fromkeys(modules) if name not in told]
        told.update(dict.fromkeys(new))
        lines = (f'    <link rel="modulepreload" href="web/{name}"{more} />\n' for name in new)
        return "".join(lines).encode()

    page = _SCRIPT.sub(
        lambda match: link(_modules_behind([match[1].decode()], files)) + match[0], page
    )
    later = [name for script in scripts for name in _named(script, _LATER, files)]
    # In the order in which they are wanted: browsers ask for a few at a time.
    rest = [name for one in later for name in (one, *_modules_behind([one], files))]
    links = link(rest, ' fetchpriority="low"')
    return _HEAD_END.sub(lambda match: links + match[0], page, count=1)


def _modules_behind(modules: Iterable[str], files: Mapping[str, bytes]) -> list[str]:
    """What they import, and what that imports."""
    found: dict[str, None] = {}
    unread = list(modules)
    while unread:
        new = [name for name in _named(unread.pop(0), _IMPORT, files) if name not in found]
        found |= dict.fromkeys(new)
        unread += new
    return list(found)


def _named(module: str, how: re.Pattern[bytes], files: Mapping[str, bytes]) -> list[str]:
    """What a module names, which does so relative to itself."""
    folder = posixpath.dirname(module)
    names = (name.decode() for name in how.findall(files[module]))
    return [posixpath.normpath(posixpath.join(folder, name)) for name in names]

"""The pages that a relay serves, by HTTP alone."""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
import subprocess
from collections.abc import AsyncIterator
from importlib import resources
from pathlib import Path

import httpx
import pytest

from imgsync.net.http import Request
from imgsync.net.ports import open_port, port_of
from imgsync.relay.pages import load_pages, make_pages
from imgsync.relay.server import open_relay
from tests.kit.foreign import PEERS, require

WEB = Path(str(resources.files("imgsync") / "web"))
RESPONSES = load_pages().responses
PATHS = sorted(RESPONSES)
PAGES = sorted(WEB.glob("*.html"))
PAGES_BY_PATH = {f"/{page.stem}" for page in PAGES}
KEPT = re.compile("/web/[0-9a-f]{16}/")
#: Of all that is kept, what English pages load: in other languages nearly all of it is the same.
[ENGLISH] = {*re.findall("web/[0-9a-f]{16}/", str(RESPONSES["/evaluator"].body))}
ONCE = [path for path in PATHS if not KEPT.match(path) or path.startswith(f"/{ENGLISH}")]
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def inline_scripts(page: bytes) -> list[bytes]:
    return re.findall(rb"<script>(.*?)</script>", page, re.DOTALL)


def integrity(body: bytes) -> str:
    """As a page names it."""
    return f"sha256-{base64.b64encode(hashlib.sha256(body).digest()).decode()}"


def hash_source(script: bytes) -> str:
    """As a policy names it."""
    return f"'{integrity(script)}'"


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    listeners = await open_port("127.0.0.1", 0)
    async with (
        open_relay(listeners),
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port_of(listeners)}") as client,
    ):
        yield client


def test_every_file_of_the_web_folder_is_served() -> None:
    files = {file.relative_to(WEB).as_posix() for file in WEB.rglob("*") if file.is_file()}
    pages = {f"/{name.removesuffix('.html')}" for name in files if name.endswith(".html")}
    others = {f"/web/{name}" for name in files if not name.endswith(".html")}
    kept = {KEPT.sub("/web/", path) for path in PATHS if KEPT.match(path)}
    assert {path.split("?")[0] for path in PATHS} - pages - others == set(filter(KEPT.match, PATHS))
    assert kept == others
    assert {"/client?lang=en", "/client?lang=ar", "/evaluator"} < set(PATHS)


async def test_each_has_its_type_and_its_guards(http: httpx.AsyncClient) -> None:
    kinds = {"": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
    for path in ONCE:
        answer = await http.get(path)
        assert answer.status_code == 200
        assert (
            answer.headers["content-type"].split(";")[0] == kinds[Path(httpx.URL(path).path).suffix]
        )
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        # Both, or a page is not isolated, and its clocks are coarse.
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"
        assert answer.headers["cross-origin-embedder-policy"] == "credentialless"
        is_kept = KEPT.match(path) is not None
        cache = "public, max-age=31536000, immutable" if is_kept else "no-cache"
        assert answer.headers["cache-control"] == cache
        policy = dict(
            part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; ")
        )
        assert policy["default-src"] == "'none'"
        assert policy["style-src"] == "'self'"
        sources = ["'self'", *map(hash_source, inline_scripts(answer.content))]
        assert policy["script-src"].split(" ") == sources
        assert "unsafe" not in str(policy)


async def test_a_query_is_not_part_of_the_path(http: httpx.AsyncClient) -> None:
    answer = await http.get("/client?user=ada&token=secret")
    assert answer.status_code == 200
    assert b"secret" not in answer.content


@pytest.mark.parametrize("coding", ["identity", "gzip"])
async def test_what_a_browser_has_already_is_not_sent_again(
    http: httpx.AsyncClient, coding: str
) -> None:
    http.headers["accept-encoding"] = coding
    first = await http.get("/client")
    tag = first.headers["etag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}'):
        again = await http.get("/client", headers={"if-none-match": known})
        assert again.status_code == 304
        assert again.content == b""
        assert again.headers["etag"] == tag
        assert "content-length" not in again.headers
        assert "content-type" not in again.headers
    other = await http.get("/client", headers={"if-none-match": '"other"'})
    assert other.content == first.content


async def test_head_tells_what_get_would_send(http: httpx.AsyncClient) -> None:
    whole = await http.get("/client")
    head = await http.head("/client")
    assert head.status_code == 200
    assert head.content == b""
    assert head.headers == whole.headers


@pytest.mark.parametrize(
    "path",
    [
        *(
            "/",
            "/web",
            "/web/",
            "/web/js",
            "/client/",
            "/Client",
            "/client.html",
            "/web/client.html",
        ),
        *(
            "/web/../relay/server.py",
            "/web/%2e%2e/relay/server.py",
            "/web/js/..%2f..%2f__init__.py",
        ),
        *("//client", "/web//js/client/client.js", "/web/js/client/client.js%00", "/favicon.ico"),
    ],
)
async def test_there_is_nothing_at_other_paths(http: httpx.AsyncClient, path: str) -> None:
    url = httpx.URL(str(http.base_url)).copy_with(raw_path=path.encode())
    answer = await http.get(url)
    assert answer.status_code == 404
    assert "/client" in answer.text


async def test_nothing_is_taken_at_a_page(http: httpx.AsyncClient) -> None:
    assert (await http.post("/client", content=b"x")).status_code == 405


@each_page
async def test_a_page_has_nothing_inline_but_first_of_all_what_has_it_loaded_anew(
    http: httpx.AsyncClient, page: Path
) -> None:
    script = (WEB / "js/page/complete.js").read_bytes()
    served = (await http.get(f"/{page.stem}")).content
    assert inline_scripts(served) == [script]
    before = served.partition(script)[0]
    assert not re.search(rb"<link|\s(?:src|href)=", before)
    assert len(re.findall(rb"<script(?![^>]* src=)", served)) == 1
    # Nothing in it ends it.
    assert not re.search(rb"<!--|</?script", script)


def test_an_inline_script_is_hashed_with_the_ends_of_lines_that_browsers_read() -> None:
    files = {"page.html": b'<script src="web/a.js"></script>', "a.js": b"1;\r\n2;\r\n"}
    page = make_pages(files).responses["/page"]
    assert page.body == b"<script>1;\n2;\n</script>"
    assert hash_source(b"1;\n2;\n") in dict(page.headers)["content-security-policy"]


@each_page
def test_the_file_of_a_page_has_nothing_inline_and_refers_to_what_is_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", text)
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", text))
    # Relative, so that a proxy may put the relay under any path.
    for link in re.findall(r'(?:src|href)="([^"#]+)"', text):
        assert f"/{link}" in {*PATHS, *PAGES_BY_PATH}


@pytest.mark.parametrize(
    ("accepted", "is_taken"),
    [
        ("gzip", True),
        ("gzip, deflate, br, zstd", True),
        ("br;q=1.0, GZIP;q=0.8, *;q=0.1", True),
        ("gzip;q=0.001", True),
        ("", False),
        ("identity", False),
        ("br, zstd", False),
        ("gzip;q=0", False),
        ("gzip ; q=0.000, br", False),
        ("xgzip, gzipped", False),
    ],
)
def test_a_file_is_compressed_for_whoever_takes_that(accepted: str, is_taken: bool) -> None:
    pages = load_pages()
    for path in ONCE:
        bare, _, query = path.partition("?")
        answer = pages.answer(Request("GET", bare, query, {"accept-encoding": accepted}, "::1"))
        headers = dict(answer.headers)
        assert headers["vary"].split(", ")[0] == "accept-encoding"
        assert (headers.get("content-encoding") == "gzip") == is_taken
        whole = pages.responses[path]
        assert isinstance(answer.body, bytes)
        assert (gzip.decompress(answer.body) if is_taken else answer.body) == whole.body
        assert not is_taken or headers["etag"] != dict(whole.headers)["etag"]


# ── versions ─────────────────────────────────────────────────────────────────────────────────────


def files_of_the_pages() -> dict[str, bytes]:
    files = (file for file in WEB.rglob("*") if file.is_file())
    return {file.relative_to(WEB).as_posix(): file.read_bytes() for file in files}


async def test_a_page_names_the_hash_of_all_that_it_begins_with(http: httpx.AsyncClient) -> None:
    for page in PAGES:
        text = (await http.get(f"/{page.stem}")).text
        begins = '<(?:script|link rel="stylesheet"|link rel="modulepreload")(?=[ >])[^>]*>'
        for tag in re.findall(begins, text):
            named = re.search('(?:src|href)="([^"]+)"', tag)
            if named is None or 'fetchpriority="low" />' in tag:
                continue
            body = RESPONSES[f"/{named[1]}"].body
            assert isinstance(body, bytes)
            assert f'integrity="{integrity(body)}"' in tag


async def test_all_that_a_page_names_is_kept_and_is_there(http: httpx.AsyncClient) -> None:
    for page in PAGES:
        text = (await http.get(f"/{page.stem}")).text
        links = re.findall(r'(?:src|href)="([^"#]+)"', text)
        assert links
        for link in links:
            assert f"/{link}" in PAGES_BY_PATH or (KEPT.match(f"/{link}") and f"/{link}" in PATHS)


@pytest.mark.parametrize("changed", ["client.html", "client.css", "js/peer/link.js", "icon.svg"])
def test_what_is_kept_changes_its_name_with_any_of_the_files(changed: str) -> None:
    before = make_pages(files_of_the_pages())
    after = make_pages({**(files := files_of_the_pages()), changed: files[changed] + b"\n"})
    kept = [{path for path in pages.responses if KEPT.match(path)} for pages in (before, after)]
    assert len(kept[0]) == len(kept[1])
    assert not kept[0] & kept[1]
    page = "/evaluator"
    assert (
        dict(before.responses[page].headers)["etag"] != dict(after.responses[page].headers)["etag"]
    )


def test_modules_that_import_each_other_in_a_circle_are_named_like_all_others() -> None:
    script = b'    <script type="module" src="web/js/a.js"></script>\n  </head>\n'
    circle = {"js/a.js": b'import "./b.js";\nimport { b } from "./b.js";\n'}
    circle["js/b.js"] = b'import { a } from "./a.js";\nimport("./c.js");\n'
    circle["js/c.js"] = b""

    def of(module: bytes) -> str:
        return f' integrity="{integrity(module)}"'

    pages = make_pages({"page.html": b"<head>\n" + script, **circle})
    [version] = {path.split("/")[2] for path in pages.responses if KEPT.match(path)}
    body = pages.responses["/page"].body
    assert isinstance(body, bytes)
    assert body.decode() == (
        "<head>\n"
        f'    <link rel="modulepreload" href="web/{version}/js/b.js"{of(circle["js/b.js"])} />\n'
        f'    <script type="module" src="web/{version}/js/a.js"{of(circle["js/a.js"])}></script>\n'
        "  </head>\n"
    )


async def test_a_page_of_another_version_gets_none_of_the_files_of_this_one(
    http: httpx.AsyncClient,
) -> None:
    # What does not come has the page loaded anew.
    for path in filter(KEPT.match, ONCE):
        answer = await http.get(KEPT.sub("/web/0123456789abcdef/", path))
        assert answer.headers["cache-control"] == "no-store"
        assert answer.status_code == 404


# ── modules ──────────────────────────────────────────────────────────────────────────────────────


IMPORT = re.compile(r'^(?:import|export)\s[^;]*?from "(\.[^"]+)";', re.MULTILINE)
LATER = re.compile(r'\bimport\("(\.[^"]+)"\)')


def imports_of(module: Path, how: re.Pattern[str] = IMPORT) -> set[Path]:
    """The modules that it imports."""
    return {(module.parent / name).resolve() for name in how.findall(module.read_text("utf-8"))}


def modules_behind(*modules: Path) -> set[Path]:
    """Those that they import, and those that these do."""
    found: set[Path] = set()
    unread = [*modules]
    while unread:
        new = imports_of(unread.pop()) - found
        found |= new
        unread += new
    return found


@each_page
async def test_a_page_is_told_of_every_module_so_that_none_waits_for_another(
    http: httpx.AsyncClient, page: Path
) -> None:
    text = KEPT.sub("/web/", (await http.get(f"/{page.stem}")).text.replace('"web/', '"/web/'))
    scripts = [WEB / name for name in re.findall(r'<script [^>]*src="/web/([^"]+)"', text)]
    later = set().union(*(imports_of(script, LATER) for script in scripts))
    at_once = modules_behind(*scripts) - {*scripts}
    links = re.findall(
        r'<link rel="modulepreload" href="/web/([^"]+)"( fetchpriority="low")?[^>]* />', text
    )
    assert {WEB / name for name, low in links if not low} == at_once
    rest = later | modules_behind(*later)
    assert {WEB / name for name, low in links if low} == rest - at_once - {*scripts}
    assert len(links) == len(at_once | rest - {*scripts})


@pytest.mark.parametrize("name", ["client", "evaluator"])
def test_to_be_at_the_relay_a_page_needs_six_files_at_most(name: str) -> None:
    page = WEB / f"{name}.html"
    scripts = re.findall(r'<script type="module"[^>]* src="web/([^"]+)"', page.read_text())
    needed = {WEB / name for name in scripts} | modules_behind(*(WEB / name for name in scripts))
    assert len(needed) <= 6
    # The first one waits for none, and for no style sheet or document either.
    [first] = re.findall(r'<script type="module" async src="web/([^"]+)"', page.read_text())
    assert not imports_of(WEB / first)


@pytest.mark.parametrize("module", sorted(WEB.rglob("*.js")), ids=lambda module: module.name)
def test_a_module_can_be_read_and_imports_what_is_there(module: Path) -> None:
    text = module.read_text(encoding="utf-8")
    assert len(IMPORT.findall(text)) == len(re.findall("^import ", text, re.MULTILINE))
    assert all(path.is_file() for path in imports_of(module))


# Of what browsers have later than docs/pages.md says; `?.(` looks whether it is there.
TOO_NEW = re.compile(
    r"AbortSignal\.(?:any|timeout)\(|\.findLast\w*\(|\(\?<[=!]|static \{"
    r"|\.(?:toSorted|toReversed|toSpliced|checkVisibility|isWellFormed|toWellFormed)\("
    r"|\b(?:structuredClone|requestIdleCallback|reportError)\(|Object\.groupBy|Map\.groupBy"
    r"|Promise\.(?:try|withResolvers)|Array\.fromAsync|URL\.(?:canParse|parse)\(|navigator\.wakeLock\."
)


@pytest.mark.parametrize("module", sorted(WEB.rglob("*.js")), ids=lambda module: module.name)
def test_a_module_uses_nothing_that_the_oldest_browsers_have_not(module: Path) -> None:
    code = re.sub(r"(?s:/\*.*?\*/)|//.*", "", module.read_text(encoding="utf-8"))
    assert not TOO_NEW.search(code)


MODERN = re.compile(
    r"=>|`|\?\.|\?\?|\*\*|\.\.\.|\b(?:let|const|class|async|await|import|export|of)\b"
)


def test_a_script_that_is_no_module_has_the_syntax_of_any_browser() -> None:
    texts = "".join(page.read_text("utf-8") for page in PAGES)
    tags = re.findall(r"<script([^>]*) src=\"web/([^\"]+)\"", texts)
    plain = {name for kind, name in tags if 'type="module"' not in kind}
    assert plain == {"js/page/old.js", "js/page/complete.js"}
    for name in plain:
        code = re.sub(r"(?s:/\*.*?\*/)|//.*", "", (WEB / name).read_text("utf-8"))
        assert not MODERN.search(code)


def test_the_modules_are_of_the_types_that_they_say() -> None:
    compiler = PEERS / "node_modules" / "typescript" / "bin" / "tsc"
    require(compiler.is_file(), f"typescript is not installed: npm install in {PEERS.name}/")
    project = Path(__file__).parents[1] / "web"
    command = ("node", str(compiler), "--project", str(project))
    checked = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("sheet", sorted(WEB.rglob("*.css")), ids=lambda sheet: sheet.name)
def test_a_style_sheet_brings_in_nothing_from_elsewhere(sheet: Path) -> None:
    assert not re.search(r"@import|url\(|image-set\(|//", sheet.read_text(encoding="utf-8"))

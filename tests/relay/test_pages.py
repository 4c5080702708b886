"""The pages that a relay serves, by HTTP alone."""

from __future__ import annotations

import re
import subprocess
from collections.abc import AsyncIterator
from importlib import resources
from pathlib import Path

import httpx
import pytest

from imgsync.net.server import open_port, port_of
from imgsync.relay.pages import load_pages
from imgsync.relay.server import open_relay
from tests.kit.foreign import PEERS, require

WEB = Path(str(resources.files("imgsync") / "web"))
PATHS = sorted(load_pages().responses)


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
    assert set(PATHS) == pages | others
    assert "/client" in pages


async def test_each_has_its_type_and_its_guards(http: httpx.AsyncClient) -> None:
    kinds = {"": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
    for path in PATHS:
        answer = await http.get(path)
        assert answer.status_code == 200
        assert answer.headers["content-type"].split(";")[0] == kinds[Path(path).suffix]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-cache"
        # Both, or a page is not isolated, and its clocks are coarse.
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"
        assert answer.headers["cross-origin-embedder-policy"] == "credentialless"
        policy = dict(
            part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; ")
        )
        assert policy["default-src"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == "'self'"
        assert "unsafe" not in str(policy)


async def test_a_query_is_not_part_of_the_path(http: httpx.AsyncClient) -> None:
    answer = await http.get("/client?user=ada&token=secret")
    assert answer.status_code == 200
    assert b"secret" not in answer.content


async def test_what_a_browser_has_already_is_not_sent_again(http: httpx.AsyncClient) -> None:
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


@pytest.mark.parametrize("page", sorted(WEB.glob("*.html")), ids=lambda page: page.name)
def test_a_page_has_nothing_inline_and_refers_to_what_is_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", text)
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", text))
    # Relative, so that a proxy may put the relay under any path.
    for link in re.findall(r'(?:src|href)="([^"#]+)"', text):
        assert f"/{link}" in PATHS


IMPORT = re.compile(r'^(?:import|export)\s[^;]*?from "(\.[^"]+)";', re.MULTILINE)


def imports_of(module: Path) -> set[Path]:
    """The modules that it imports."""
    return {(module.parent / name).resolve() for name in IMPORT.findall(module.read_text("utf-8"))}


def modules_behind(module: Path) -> set[Path]:
    """Those that it imports, and those that they do."""
    found: set[Path] = set()
    unread = [module]
    while unread:
        new = imports_of(unread.pop()) - found
        found |= new
        unread += new
    return found


@pytest.mark.parametrize("page", sorted(WEB.glob("*.html")), ids=lambda page: page.name)
async def test_a_page_is_told_of_every_module_so_that_none_waits_for_another(
    http: httpx.AsyncClient, page: Path
) -> None:
    text = (await http.get(f"/{page.stem}")).text
    [main] = re.findall(r'<script type="module" src="([^"]+)"', text)
    named = re.findall(r'<link rel="modulepreload" href="([^"]+)"', text)
    behind = modules_behind(WEB.parent / main)
    assert sorted(named) == sorted(path.relative_to(WEB.parent).as_posix() for path in behind)


@pytest.mark.parametrize("module", sorted(WEB.rglob("*.js")), ids=lambda module: module.name)
def test_a_module_can_be_read_and_imports_what_is_there(module: Path) -> None:
    text = module.read_text(encoding="utf-8")
    assert len(IMPORT.findall(text)) == len(re.findall("^import ", text, re.MULTILINE))
    assert all(path.is_file() for path in imports_of(module))


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

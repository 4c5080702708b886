"""Who may import whom. The tables are the rules; a module that fits into none of them fails.

To add a module in a room that is here, do nothing. To add a room, add it to its layer. Imports in
functions and under TYPE_CHECKING count like any others.
"""

import ast
import functools
import re
import subprocess
import sys
from collections.abc import Mapping, Set
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

import imgsync


def room(package: str) -> list[str]:
    return [package, f"{package}.*"]


#: From top to bottom: a module may import its own room and the layers below, and no other room of
#: its own layer. An exact name goes before a pattern, a higher pattern before a lower one.
LAYERS: list[dict[str, list[str]]] = [
    {"entrances": ["imgsync.__main__", "imgsync.*.__main__"]},
    {
        "commands.demo": ["imgsync.commands.demo"],
        "commands.token": ["imgsync.commands.token"],
        "commands.study": ["imgsync.commands.study"],
        "commands.invite": room("imgsync.commands.invite"),
        "commands.relay": room("imgsync.commands.relay"),
        "commands.evaluator": room("imgsync.commands.evaluator"),
        "commands.client": room("imgsync.commands.client"),
        "commands.doctor": room("imgsync.commands.doctor"),
        "commands.report": room("imgsync.commands.report"),
    },
    {
        "commands.common": [
            "imgsync.commands",
            "imgsync.commands.common",
            "imgsync.commands.events",
            "imgsync.commands.groups",
            "imgsync.commands.output",
            "imgsync.commands.reasons",
            "imgsync.commands.signals",
        ]
    },
    {"facade": ["imgsync"]},
    {
        "evaluator": room("imgsync.evaluator"),
        "client": room("imgsync.client"),
        "testing": ["imgsync.testing"],
    },
    {"peer": room("imgsync.peer"), "relay": room("imgsync.relay")},
    {"images": room("imgsync.images")},
    {
        "net": room("imgsync.net"),
        "rtc": room("imgsync.rtc"),
        "journal": room("imgsync.journal"),
    },
    {
        "shared": [
            "imgsync.seams",
            "imgsync.tasks",
            "imgsync.wallclock",
            "imgsync.backoff",
            "imgsync.distribution",
            "imgsync.environment",
            "imgsync.files",
            "imgsync.lines",
        ]
    },
    {
        "core.relay": room("imgsync.core.relay"),
        "core.handshake": room("imgsync.core.handshake"),
        "core.channel": room("imgsync.core.channel"),
        "core.pictures": room("imgsync.core.pictures"),
        "core.network": room("imgsync.core.network"),
        "core.transfer": room("imgsync.core.transfer"),
        "core.study": room("imgsync.core.study"),
    },
    {"core.codec": room("imgsync.core.codec")},
    {"core.protocol": ["imgsync.core", *room("imgsync.core.protocol")]},
    {"samples": room("imgsync.samples")},
]

#: The one home of each foreign library. What is not here may be imported by nobody.
HOMES: dict[str, list[str]] = {
    "attrs": ["imgsync.*"],
    "trio": ["imgsync.*"],
    "aiortc": ["imgsync.rtc.*"],
    "aioice": ["imgsync.rtc.*"],
    "OpenSSL": ["imgsync.rtc.*"],
    "anyio": ["imgsync.rtc.*"],
    "trio_websocket": ["imgsync.net.*"],
    "wsproto": ["imgsync.net.*"],
    "h11": ["imgsync.net.*"],
    "cattrs": ["imgsync.core.codec.strict"],
    "httpx": ["imgsync.images.fetch", "imgsync.images.outlet"],
    "rich": ["imgsync.commands.evaluator.progress"],
    "segno": ["imgsync.commands.invite.code"],
    "prometheus_client": ["imgsync.relay.metrics"],
    "jwt": ["imgsync.relay.tokens"],
    "coredis": ["imgsync.relay.nodes.connection"],
    "pylsl": ["imgsync.commands.evaluator.markers"],
}

#: Parts of the standard library that have one home, too.
STANDARD_HOMES: dict[str, list[str]] = {
    "asyncio": ["imgsync.rtc.*"],
}

#: All that the core may import: nothing in it waits, does I/O, reads a clock or throws dice.
IN_CORE = {
    *("attrs", "base64", "cattrs", "collections", "enum", "functools", "hashlib", "ipaddress"),
    *("itertools", "json", "math", "re", "shlex", "struct", "typing", "urllib"),
    "zlib",
}

#: What gets round that.
NOT_NAMED_IN_CORE = {
    *("open", "print", "input", "exec", "eval", "compile", "__import__", "__builtins__"),
    *("globals", "importlib"),
}

ROOT = Path(imgsync.__file__).parents[1]


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


SOURCES = {module_name(path): path for path in sorted((ROOT / "imgsync").rglob("*.py"))}
every_module = pytest.mark.parametrize("module", SOURCES)


@functools.cache
def tree_of(module: str) -> ast.Module:
    return ast.parse(SOURCES[module].read_text(encoding="utf-8"))


@functools.cache
def imports(module: str) -> frozenset[str]:
    """Full names of the modules that a module imports."""
    found: set[str] = set()
    for node in ast.walk(tree_of(module)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} has a relative import"
            assert node.module is not None
            inside = {f"{node.module}.{alias.name}" for alias in node.names}
            modules = inside & SOURCES.keys()
            found |= modules or {node.module}
    return frozenset(found)


def own_imports(module: str) -> set[str]:
    return {name for name in imports(module) if name.split(".")[0] == "imgsync"}


def foreign_imports(module: str) -> set[str]:
    return {name.split(".")[0] for name in imports(module) - own_imports(module)}


def place_of(module: str) -> tuple[int, str]:
    """Layer, counted from the top, and room."""
    places = [
        (pattern != module, depth, room)
        for depth, rooms in enumerate(LAYERS)
        for room, patterns in rooms.items()
        for pattern in patterns
        if fnmatchcase(module, pattern)
    ]
    if not places:
        pytest.fail(f"{module} fits into no room; add it to LAYERS")
    _, depth, room = min(places)
    return depth, room


def is_at_home(module: str, patterns: list[str]) -> bool:
    return any(fnmatchcase(module, pattern) for pattern in patterns)


def test_there_is_something_to_look_at() -> None:
    assert {"imgsync", "imgsync.core.codec.codec", "imgsync.core.relay.state"} <= SOURCES.keys()
    assert "imgsync.core.protocol.errors" in imports("imgsync.core.codec.codec")
    assert "cattrs" in foreign_imports("imgsync.core.codec.strict")


@every_module
def test_every_module_has_a_room_and_imports_only_downwards(module: str) -> None:
    depth, room = place_of(module)
    for other in sorted(own_imports(module)):
        other_depth, other_room = place_of(other)
        allowed = other_room == room or other_depth > depth
        assert allowed, f"{module} ({room}) imports {other} ({other_room})"


@every_module
def test_nobody_imports_a_command(module: str) -> None:
    assert not [name for name in own_imports(module) if name.endswith(".__main__")]


@every_module
def test_every_foreign_library_has_one_home(module: str) -> None:
    for library in sorted(foreign_imports(module)):
        if library in sys.stdlib_module_names:
            homes = STANDARD_HOMES.get(library, ["*"])
        else:
            assert library in HOMES, f"{module} imports {library}, which has no home in HOMES"
            homes = HOMES[library]
        assert is_at_home(module, homes), f"{module} imports {library}, whose home is {homes}"


@pytest.mark.parametrize("module", [name for name in SOURCES if name.startswith("imgsync.core")])
def test_the_core_decides_and_does_nothing_else(module: str) -> None:
    assert foreign_imports(module) <= IN_CORE
    # What else lies beside it reads from the network.
    assert all("urllib.parse" in name for name in imports(module) if name.startswith("urllib"))
    nodes = list(ast.walk(tree_of(module)))
    waits = (ast.AsyncFunctionDef, ast.AsyncFor, ast.AsyncWith, ast.Await)
    assert not [node for node in nodes if isinstance(node, waits)]
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    assert not names & NOT_NAMED_IN_CORE


def test_no_modules_import_each_other_in_a_circle() -> None:
    circle = left_in_circles({module: own_imports(module) for module in SOURCES})
    assert not circle


def left_in_circles(arrows: Mapping[str, Set[str]]) -> dict[str, Set[str]]:
    """What is left when all that import nothing more are taken away, again and again."""
    left = dict(arrows)
    while free := [name for name, names in left.items() if not names & left.keys()]:
        for name in free:
            del left[name]
    return left


# ── what an import costs ─────────────────────────────────────────────────────────────────────────


def run(statement: str) -> set[str]:
    """Names of all modules that are loaded after a statement."""
    process = subprocess.run(
        [sys.executable, "-c", f"{statement}\nimport sys\nprint(*sys.modules)"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    return set(process.stdout.split())


def test_importing_the_package_loads_nothing_heavy() -> None:
    loaded = run("import imgsync")
    assert "imgsync" in loaded
    heavy = {"asyncio", "trio", "attrs", "attr", *HOMES}
    assert not loaded & heavy
    assert not [name for name in loaded if name.startswith("imgsync.")]


@pytest.mark.parametrize("module", ["imgsync.relay.server", "imgsync.commands.relay.main"])
def test_the_relay_needs_no_webrtc(module: str) -> None:
    if module not in SOURCES:
        pytest.skip(f"there is no {module}")
    loaded = run(f"import {module}")
    assert module in loaded
    assert not loaded & {"aiortc", "aioice", "av"}
    assert not [name for name in loaded if name.startswith("imgsync.rtc")]


def test_every_public_name_is_there_when_it_is_asked_for() -> None:
    run("from imgsync import *")
    shown_to_the_type_checker = {
        alias.asname or alias.name
        for node in tree_of("imgsync").body
        if isinstance(node, ast.If)
        for inner in node.body
        if isinstance(inner, ast.ImportFrom)
        for alias in inner.names
    }
    assert shown_to_the_type_checker == set(imgsync.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = imgsync.nonsense


# ── the pages' JavaScript ────────────────────────────────────────────────────────────────────────

SCRIPTS_ROOT = ROOT / "imgsync" / "web" / "js"

#: As LAYERS, by folder. Types that are imported in comments count like any others.
SCRIPT_LAYERS: list[set[str]] = [
    {"client", "console", "check"},
    {"recording"},
    {"words"},
    {"languages"},
    {"page", "device"},
    {"peer"},
    {"core/check"},
    {
        *("core/handshake", "core/channel", "core/pictures", "core/transfer", "core/study"),
        "core/browsers",
    },
    {"core/protocol", "vendor"},
]

SCRIPTS = {
    path.relative_to(SCRIPTS_ROOT).as_posix(): path for path in sorted(SCRIPTS_ROOT.rglob("*.js"))
}
every_script = pytest.mark.parametrize("script", SCRIPTS)

NAMED = re.compile(r"""\b(?:from|import)\s*\(?\s*["']([^"']+)["']""")

#: An import whose name is not there to be read, but for a language; other ways to load a script.
HIDDEN = re.compile(
    r"""\bimport\s*\((?!\s*(["'])[^"'`]*\1\s*\)|`\.\./languages/\$\{language\}\.js`\))"""
    r"""|\b(?:Worker|SharedWorker|importScripts)\b"""
)

#: Whatever waits, does I/O, reads a clock or throws dice; not a file or a field of such a name.
NOT_IN_SCRIPT_CORE = re.compile(
    r"(?<!#)(?<!\./)\b(?:async|await|Promise|setTimeout|setInterval|performance|Date|Math\.random|crypto|fetch"
    r"|document|window|self|globalThis|navigator|location|localStorage|sessionStorage|indexedDB"
    r"|WebSocket|XMLHttpRequest|RTC\w+|queueMicrotask|request\w+Frame|structuredClone|console"
    r"|eval|Function|random)\b|\bMath\s*\[|\bimport\s*\("
)


@functools.cache
def script_imports(script: str) -> frozenset[str]:
    """The modules that a module of the pages imports, from the folder of all."""
    path = SCRIPTS[script]
    names = NAMED.findall(path.read_text(encoding="utf-8"))
    assert all(name.startswith(".") for name in names), f"{script} imports from outside"
    targets = {(path.parent / name).resolve().relative_to(SCRIPTS_ROOT) for name in names}
    return frozenset(target.as_posix() for target in targets)


def script_depth(script: str) -> int:
    room = script.rpartition("/")[0]
    depths = [depth for depth, rooms in enumerate(SCRIPT_LAYERS) if room in rooms]
    assert depths, f"{script} fits into no room; add it to SCRIPT_LAYERS"
    return depths[0]


@functools.cache
def code_of(script: str) -> str:
    """Without comments."""
    text = SCRIPTS[script].read_text(encoding="utf-8")
    return re.sub(r"/\*.*?\*/|(?<![:\"'`])//[^\n]*", "", text, flags=re.DOTALL)


@every_script
def test_every_script_has_a_room_and_imports_only_downwards(script: str) -> None:
    depth = script_depth(script)
    assert not HIDDEN.search(code_of(script))
    for other in sorted(script_imports(script)):
        assert other in SCRIPTS, f"{script} imports {other}, which is not there"
        is_of_the_room = other.rpartition("/")[0] == script.rpartition("/")[0]
        allowed = is_of_the_room or script_depth(other) > depth
        assert allowed, f"{script} imports {other}"


def test_no_scripts_import_each_other_in_a_circle() -> None:
    circle = left_in_circles({script: script_imports(script) for script in SCRIPTS})
    assert not circle


@pytest.mark.parametrize("script", [name for name in SCRIPTS if name.startswith("core/")])
def test_the_core_of_the_scripts_decides_and_does_nothing_else(script: str) -> None:
    assert not NOT_IN_SCRIPT_CORE.findall(code_of(script))


# ── the tests ────────────────────────────────────────────────────────────────────────────────────

MAX_LINES = 500
"""A file of tests that is longer has more than one subject."""


def test_no_file_of_tests_is_too_long() -> None:
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for path in (ROOT / "tests").rglob("*.py")
        if "node_modules" not in path.parts
    }
    assert "tests/test_layers.py" in lengths
    assert {name: count for name, count in lengths.items() if count > MAX_LINES} == {}

"""What an installation gets and what it is told to get: never a stranger's program of our name."""

import re
import subprocess
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import pytest

import imgsync
from imgsync import distribution
from imgsync.distribution import installed_version, missing_extra, requirements_of

ROOT = Path(imgsync.__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]

OURS = "imgsync-webrtc"
STRANGER = "imgsync"

# Of a requirement: its name, its extras, and the extra that asks for it.
REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)\s*(?:\[([^]]*)\])?")
ASKED_BY = re.compile(r"extra\s*==\s*['\"]([^'\"]+)['\"]")

# Of a command line that installs: what stands before the names.
INSTALLS = re.compile(
    r"\b(?:pipx? install|pipx run|uv (?:pip|tool) install|uv (?:tool )?run|uv add|uvx)\b"
)


def normal(name: str) -> str:
    """As the indexes compare names."""
    return re.sub(r"[-_.]+", "-", name).lower()


def names_and_extras(requirement: str) -> tuple[str, set[str]]:
    found = REQUIREMENT.match(requirement)
    assert found is not None, requirement
    name, extras = found.groups()
    return normal(name), {normal(extra) for extra in (extras or "").replace(" ", "").split(",")}


def resolve(name: str, extras: set[str]) -> set[str]:
    """Names of all that an installation asks for, as far as it is installed here."""
    seen: set[tuple[str, str]] = set()
    ahead = [(name, extra) for extra in {"", *extras}]
    while ahead:
        this = ahead.pop()
        if this in seen:
            continue
        seen.add(this)
        try:
            lines = requires(this[0]) or []
        except PackageNotFoundError:  # for another platform, or another Python
            continue
        for line in lines:
            requirement, _, marker = line.partition(";")
            asked_by = {normal(extra) for extra in ASKED_BY.findall(marker)} or {""}
            if this[1] in asked_by:
                other, others = names_and_extras(requirement)
                ahead += [(other, extra) for extra in {"", *others}]
    return {name for name, _ in seen}


# ── what is installed ────────────────────────────────────────────────────────────────────────────


def test_the_distribution_has_a_name_of_its_own_and_the_version_of_the_package() -> None:
    assert PROJECT["name"] == distribution.NAME == OURS
    assert installed_version() == imgsync.__version__


@pytest.mark.parametrize("extra", EXTRAS)
def test_no_extra_brings_a_stranger_of_our_name_or_needs_an_index_to_find_us(extra: str) -> None:
    found = resolve(OURS, {extra})
    assert {"trio", "attrs"} <= found  # what we ask for, and what that asks for
    assert STRANGER not in found
    # pyproject.toml may name us in an extra; what is installed has what that stands for.
    assert not [line for line in requires(OURS) or [] if names_and_extras(line)[0] == OURS]


def test_the_tests_have_what_every_command_needs() -> None:
    for extra in ("cli", "relay"):
        needed = {names_and_extras(line)[0] for line in EXTRAS[extra]}
        assert needed <= resolve(OURS, {"dev"})


def test_the_pythons_that_are_named_begin_with_the_oldest_that_is_asked_for() -> None:
    named = re.findall(r":: Python :: 3\.(\d+)$", "\n".join(PROJECT["classifiers"]), re.MULTILINE)
    assert PROJECT["requires-python"] == f">=3.{min(map(int, named))}"


def test_no_requirement_names_a_stranger() -> None:
    for line in (*PROJECT["dependencies"], *(line for lines in EXTRAS.values() for line in lines)):
        assert names_and_extras(line)[0] != STRANGER, line


# ── what a missing extra says ────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("extra", [extra for extra in EXTRAS if extra != "dev"])
def test_a_missing_extra_names_what_pyproject_lists(extra: str) -> None:
    listed = sorted(line.lower() for line in EXTRAS[extra])
    assert sorted(line.lower() for line in requirements_of(extra)) == listed
    words = " ".join(f"'{line}'" for line in requirements_of(extra))
    error = missing_extra("this can't be done", extra)
    assert str(error) == f"this can't be done; install it with: pip install {words}"


def test_what_was_never_installed_says_where_the_extra_is_listed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(distribution, "NAME", "nobody-has-installed-this")
    error = missing_extra("this can't be done", "cli")
    assert str(error) == "this can't be done; install what pyproject.toml lists as 'cli'"
    assert installed_version() == "unknown"


@pytest.mark.parametrize(
    "line",
    ["httpx>=0.27; extra == 'cli'", 'httpx>=0.27 ; extra=="cli"', "httpx>=0.27;extra == 'cli'"],
)
def test_a_requirement_is_found_however_the_build_has_written_it(
    line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = ["trio>=0.30", "rich; extra == 'other'", line]
    monkeypatch.setattr("importlib.metadata.requires", lambda name: lines)
    assert requirements_of("cli") == ["httpx>=0.27"]


# ── what the texts say ───────────────────────────────────────────────────────────────────────────


def told_to_install(text: str) -> Iterator[str]:
    """Each word after a command that installs, without its quotes, extras and version."""
    for line in text.replace("\\\n", " ").splitlines():
        for found in INSTALLS.finditer(line):
            command = re.split(r"&&|[;|`]", line[found.end() :])[0]
            for word in command.split():
                name = re.match(r"[A-Za-z0-9._-]+(?![\w./-])", word.strip("'\"(,.:"))
                if name is not None:
                    yield normal(name[0])


def test_no_text_tells_to_install_us_by_name() -> None:
    git = ("git", "-c", f"safe.directory={ROOT}", "ls-files", "-z")
    listed = subprocess.run(git, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    texts = {name: (ROOT / name).read_bytes() for name in listed.stdout.split("\0") if name}
    assert {"README.md", "pyproject.toml", "imgsync/core/protocol/errors.py"} <= texts.keys()
    telling = [
        name
        for name, text in texts.items()
        if {STRANGER, OURS} & set(told_to_install(text.decode(errors="replace")))
    ]
    assert not telling


@pytest.mark.parametrize("name", [STRANGER, OURS, "imgsync_webrtc", "ImgSync"])
@pytest.mark.parametrize(
    "command",
    [
        "pip install {}",
        "$ .venv/bin/pip install -q '{}[cli]' && imgsync demo",
        'python -m pip install "{}==0.1.0"',
        "Get it with `pipx install {}`.",
        "run: pip install \\\n    {}>=0.1",
        "uv tool install {}",
        "uvx {}",
    ],
)
def test_a_text_that_tells_to_install_us_by_name_is_seen(command: str, name: str) -> None:
    assert {STRANGER, OURS} & set(told_to_install(command.format(name)))


@pytest.mark.parametrize(
    "command",
    [
        "pip install -q '.[cli]' && .venv/bin/imgsync demo",
        "sudo /opt/imgsync/bin/pip install '.[relay]'",
        "pip install ./imgsync",
        "pip install imgsync/dist/some.whl",
        "imgsync demo",
    ],
)
def test_a_text_that_tells_to_install_from_a_folder_is_none(command: str) -> None:
    assert not {STRANGER, OURS} & set(told_to_install(command))


# ── how it is cited ──────────────────────────────────────────────────────────────────────────────


def test_the_citation_names_this_version_and_who_holds_the_copyright() -> None:
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    licence = (ROOT / "LICENSE").read_text(encoding="utf-8")
    holder = re.search(r"^Copyright \(c\) \d+ (.+)$", licence, re.MULTILINE)
    assert holder is not None
    assert re.findall(r"^version: (.+)$", citation, re.MULTILINE) == [imgsync.__version__]
    assert re.findall(r"^  - (.+)$", citation.split("authors:")[1].split("abstract:")[0], re.M) == [
        f"name: {holder[1]}"
    ]
    assert f"license: {PROJECT['license']}\n" in citation


def test_the_changelog_tells_of_this_version() -> None:
    assert imgsync.__version__ in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")

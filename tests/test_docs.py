"""What README and docs/ show is run as it stands, and what they list is what there is."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from contextlib import nullcontext
from importlib import import_module
from pathlib import Path
from typing import get_args

import attrs
import pytest
import trio

import imgsync
import imgsync.__main__
from imgsync.client.client import ReceivedImage
from imgsync.commands.client.program import Run, variables_of
from imgsync.core.codec.codec import encode_event
from imgsync.core.handshake.sdp import parse_description
from imgsync.core.protocol.channel import ChannelMessage, StageKind
from imgsync.core.protocol.errors import NegotiationError
from imgsync.core.protocol.signalling import (
    CloseCode,
    EndReason,
    ErrorCode,
    FromRelay,
    Register,
    Role,
    ToRelay,
)
from imgsync.core.protocol.states import SessionState
from imgsync.net.connect import open_relay_socket
from imgsync.net.ports import open_port, port_of
from imgsync.relay.server import open_relay
from tests.kit.answers import NO_ANSWERS
from tests.kit.processes import SAMPLES

ROOT = Path(__file__).parent.parent
DOCS = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
}
README = DOCS["README.md"]
COMMANDS = DOCS["docs/commands.md"]
LIBRARY = DOCS["docs/library.md"]
RELAY = DOCS["docs/relay.md"]

PATHS = re.compile(r"`((?:[\w.]+/)*[\w.]+(?:\.(?:py|js|html|md|toml)|/))`")
"""Files and folders, as they are named in running text."""

MAX_README = 150
"""Lines: what somebody reads before the first try."""

CODE_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
FLAG = re.compile(r"(?<![\w-])--[a-z][a-z-]*")


def prose_of(text: str) -> str:
    """A page without its code blocks."""
    return CODE_BLOCK.sub("", text)


def section(text: str, heading: str) -> str:
    """What stands below a heading, up to the next one of its level or a higher one."""
    level = heading.split()[0]
    _, found, below = text.partition(f"\n{heading}\n")
    assert found, heading
    return re.split(rf"(?m)^#{{1,{len(level)}}} ", below)[0]


def rows(text: str, heading: str) -> list[str]:
    """The rows of the table whose first column has this heading."""
    _, found, below = text.partition(f"\n| {heading} |")
    assert found, heading
    return below.split("\n\n", 1)[0].splitlines()[2:]


def table(heading: str) -> dict[str, str]:
    """The rows of the one table whose first column has this heading: first cell, and the rest."""
    head = re.compile(rf"^\| {re.escape(heading)} \|.*\n\| ---", re.MULTILINE)
    (page,) = (text for text in DOCS.values() if head.search(text))
    cells = [row.split(" | ", 1) for row in rows(page, heading)]
    return {first.strip("| `"): rest for first, rest in cells}


def first_words(heading: str) -> list[str]:
    """What stands in code marks in the first cells of a table, several to a cell as well."""
    head = re.compile(rf"^\| {re.escape(heading)} \|.*\n\| ---", re.MULTILINE)
    (page,) = (text for text in DOCS.values() if head.search(text))
    return [word for row in rows(page, heading) for word in words_in(row.split(" | ", 1)[0])]


def words_in(cell: str) -> list[str]:
    """Words in code marks, in their order."""
    return re.findall(r"`(\w+)`", cell)


# ── README ───────────────────────────────────────────────────────────────────────────────────────


async def test_the_example_shows_every_image_of_its_folder(
    capsys: pytest.CaptureFixture[str],
) -> None:
    example = next(code for language, code in CODE_BLOCK.findall(README) if language == "python")
    functions, _, last_line = example.rstrip().rpartition("\n")
    assert last_line.startswith("trio.run(evaluator)")
    listeners = await open_port("127.0.0.1", 0)
    url = f"ws://127.0.0.1:{port_of(listeners)}/ws"
    names: dict[str, object] = {}
    exec(
        functions.replace("ws://127.0.0.1:8765/ws", url).replace("stimuli/", str(SAMPLES)),
        names,
    )
    evaluator, client = names["evaluator"], names["client"]
    assert callable(evaluator)
    assert callable(client)
    with trio.fail_after(30):
        async with open_relay(listeners), trio.open_nursery() as nursery:
            nursery.start_soon(client)
            async with open_relay_socket(url) as watcher:
                watcher.post(encode_event(Register("watcher", Role.EVALUATOR, "webrtc")))
                while "patient-7" not in str(await watcher.receive()):
                    pass
            await evaluator()
            nursery.cancel_scope.cancel()
    lines = capsys.readouterr().out.splitlines()
    shown = [line for line in lines if line.startswith("show http://127.0.0.1:")]
    acked = [line.split()[0] for line in lines if line.endswith(" ms")]
    assert len(shown) == 10
    assert acked[0] == "1-fixation-cross.png"
    assert acked[-1] == "10-end.png"


def test_the_two_commands_are_one_line_each_and_of_one_shape() -> None:
    commands = re.findall(r"^\$\(command -v sudo\).*$", README, re.MULTILINE)
    assert len(commands) == 2
    assert commands[0].endswith(".venv/bin/imgsync demo")
    assert commands[1].endswith(".venv/bin/pytest")


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) <= MAX_README


def test_the_readme_links_every_page() -> None:
    pages = {name for name in DOCS if name.startswith("docs/")}
    assert len(pages) >= 8
    assert pages <= {link.partition("#")[0] for link in links_of(README)}


# ── all pages ────────────────────────────────────────────────────────────────────────────────────


def links_of(text: str) -> list[str]:
    """The targets of a page's links that lead to no other host."""
    targets = re.findall(r"\]\(([^()\s]+)\)", prose_of(text))
    return [target for target in targets if "://" not in target]


def slug(heading: str) -> str:
    """The anchor that GitHub gives to a heading, before it is told from others of the name."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def anchors_of(text: str) -> set[str]:
    """The anchors of a page's headings."""
    seen: Counter[str] = Counter()
    anchors = set()
    for heading in re.findall(r"(?m)^#{1,6} (.+?)(?: #+)?$", prose_of(text)):
        name = slug(heading)
        anchors.add(f"{name}-{seen[name]}" if seen[name] else name)
        seen[name] += 1
    return anchors


def test_slugs_are_those_of_github() -> None:
    text = "# The *two* `--exec CMD`: 1.5\n\n## Why not ...\n\n## A b_c\n\n## A b_c\n"
    assert anchors_of(text) == {"the-two---exec-cmd-15", "why-not-", "a-b_c", "a-b_c-1"}


@pytest.mark.parametrize("name", DOCS)
def test_every_link_leads_to_a_file_and_a_heading(name: str) -> None:
    for link in links_of(DOCS[name]):
        path, _, anchor = link.partition("#")
        target = (ROOT / name).parent.joinpath(path).resolve() if path else ROOT / name
        relative = target.relative_to(ROOT).as_posix()
        assert target.exists(), link
        if anchor and target.exists():
            assert anchor in anchors_of(DOCS[relative]), link


@pytest.mark.parametrize("name", DOCS)
def test_code_blocks_are_closed_and_those_in_python_compile(name: str) -> None:
    assert "```" not in prose_of(DOCS[name])
    for language, code in CODE_BLOCK.findall(DOCS[name]):
        assert "```" not in code
        if language == "python":
            compile(code, name, "exec")


def test_the_offer_of_the_protocol_is_one_that_is_taken() -> None:
    [sdp] = [text for kind, text in CODE_BLOCK.findall(DOCS["docs/protocol.md"]) if kind == "sdp"]
    for line_break in ("\n", "\r\n"):
        offer = parse_description("offer", sdp.replace("\n", line_break))
        assert offer.mid == "q7c"
    for line in sdp.splitlines()[7:]:
        is_needed = not line.startswith("a=max-message-size")
        with pytest.raises(NegotiationError) if is_needed else nullcontext():
            parse_description("offer", sdp.replace(f"{line}\n", ""))


def test_every_bench_that_is_named_is_there() -> None:
    named = {script for text in DOCS.values() for script in re.findall(r"bench/\w+\.py", text)}
    assert "bench/push.py" in named
    assert [script for script in sorted(named) if not (ROOT / script).exists()] == []


def test_no_page_installs_from_an_index() -> None:
    installs = [
        target
        for text in DOCS.values()
        for target in re.findall(r"pip install(?: -\w+)* ([^\s`]+)", text)
    ]
    assert "'.[cli]'" in installs
    assert [target for target in installs if "imgsync" in target] == []


# ── the commands ─────────────────────────────────────────────────────────────────────────────────

PEERS = section(COMMANDS, "## Options of both peers")


def flags_of(command: str, capsys: pytest.CaptureFixture[str]) -> set[str]:
    """The long options of a command, as its own help lists them."""
    module, _ = imgsync.__main__._COMMANDS[command]
    with pytest.raises(SystemExit):
        import_module(f"imgsync.commands.{module}").main(["--help"], f"imgsync {command}")
    listed = re.findall(r"(?m)^  (?:-\w(?: \w+)?, )?(--[a-z][a-z-]*)", capsys.readouterr().out)
    return {*listed} - {"--help"}


def in_first_cells(text: str) -> set[str]:
    """The flags in the first cells of a page's tables."""
    firsts = [line.split(" | ")[0] for line in text.splitlines() if line.startswith("| `-")]
    return {flag for first in firsts for flag in FLAG.findall(first)}


@pytest.mark.parametrize(
    ("command", "shared"),
    [
        ("evaluator", PEERS),
        ("client", PEERS),
        ("demo", ""),
        ("doctor", ""),
        ("invite", ""),
        ("token", ""),
        ("report", ""),
    ],
)
def test_the_options_of_a_command_are_those_of_its_parser(
    command: str, shared: str, capsys: pytest.CaptureFixture[str]
) -> None:
    own = section(COMMANDS, f"## imgsync {command}")
    flags = flags_of(command, capsys)
    assert flags
    assert in_first_cells(own) | in_first_cells(shared) == flags


def test_the_relays_options_are_those_that_its_parser_has(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert in_first_cells(RELAY) == flags_of("relay", capsys)


def test_each_command_has_its_paragraph_in_the_readme_and_its_place_in_the_docs() -> None:
    commands = list(imgsync.__main__._COMMANDS)
    assert sorted(re.findall(r"(?m)^\*\*`imgsync (\w+)`\*\*", README)) == sorted(commands)
    documented = re.findall(r"(?m)^## imgsync (\w+)$", COMMANDS)
    assert sorted([*documented, "relay"]) == sorted(commands)


@pytest.mark.parametrize("name", ["README.md", "docs/commands.md", "docs/recording.md"])
def test_every_flag_that_a_page_shows_is_one_of_a_command(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    known = {"--help", "--version"}
    for command in imgsync.__main__._COMMANDS:
        known |= flags_of(command, capsys)
    shown = set(FLAG.findall(DOCS[name]))
    assert shown
    assert shown <= known


def test_the_variables_of_a_program_are_those_that_it_gets() -> None:
    of = (0, "http://h/a.png", "http://h/a.png?s", 1, 2)
    image = ReceivedImage(*of, lambda *_: None, NO_ANSWERS)
    run = Run(image, needs_file=True)
    run.file_is_there(Path("a.png"))
    assert list(table("variable")) == list(variables_of(run))


# ── the library ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", imgsync.__all__)
def test_every_public_name_is_in_the_page_on_the_library(name: str) -> None:
    marked = " ".join(re.findall(r"`([^`\n]+)`", prose_of(LIBRARY)))
    assert re.search(rf"\b{name}\b", marked)


def test_the_states_of_a_session_are_those_that_there_are() -> None:
    assert first_words("state") == values(SessionState)


def test_the_stages_of_an_image_are_those_that_there_are() -> None:
    kinds = values(StageKind)
    assert first_words("stage") == kinds
    (said,) = (rest for first, rest in table("message").items() if '"stage"' in first)
    assert re.findall(r'`"(\w+)"`', said)[: len(kinds)] == kinds


def test_the_reasons_of_an_end_are_those_that_there_are_in_the_same_words() -> None:
    told = {reason: said.strip("| ") for reason, said in table("reason").items()}
    assert told == {reason.value: reason.sentence for reason in EndReason}


def values(kind: type[SessionState] | type[StageKind]) -> Sequence[str]:
    """Those of an enumeration, in its order."""
    return [member.value for member in kind]


# ── the protocol ─────────────────────────────────────────────────────────────────────────────────

#: Said by both sides of a socket, or by nobody: they tell of how a connection ended.
NOT_SENT = {CloseCode.NORMAL, CloseCode.NO_STATUS, CloseCode.ABNORMAL}


@pytest.mark.parametrize(("heading", "union"), [("you send", ToRelay), ("you get", FromRelay)])
def test_the_protocols_events_are_those_of_the_vocabulary(heading: str, union: object) -> None:
    classes = {cls.EVENT: cls for cls in get_args(union)}
    events = table(heading)
    assert events.keys() == classes.keys()
    for event, cls in classes.items():
        fields = {_camel(field.name) for field in attrs.fields(cls)}
        assert fields <= set(words_in(events[event])), event


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(map(str.title, rest))


def test_the_protocols_reasons_are_those_that_a_relay_says() -> None:
    said = set(re.findall(r'"(\w+)"', table("you get")["session_ended"]))
    assert said == {reason.value for reason in list(EndReason)[:6]}


def test_the_protocols_error_codes_are_those_of_the_vocabulary() -> None:
    assert list(table("error code")) == [code.value for code in ErrorCode]


def test_the_protocols_close_codes_are_those_of_the_vocabulary() -> None:
    sent = [code for code in CloseCode if code not in NOT_SENT]
    assert list(table("close code")) == [str(code.value) for code in sent]


@pytest.mark.parametrize("cls", get_args(ChannelMessage))
def test_the_protocols_channel_messages_are_those_of_the_vocabulary(cls: type) -> None:
    messages = list(table("message"))
    of_type = [row for row in messages if f'"{getattr(cls, "TYPE", "imageIndex")}"' in row]
    named = [row for row in of_type if all(f'"{_camel(f.name)}"' in row for f in attrs.fields(cls))]
    assert len(named) == 1
    assert len(messages) == len(get_args(ChannelMessage))


def test_the_files_that_the_design_names_are_there() -> None:
    """A name without a folder is in that of the last one before it."""
    folder, found = ROOT / "imgsync", 0
    for name in PATHS.findall(DOCS["docs/design.md"]):
        places = [ROOT / "imgsync" / name, ROOT / name, folder / name]
        there = next((place for place in places if place.exists()), None)
        assert there is not None, name
        folder, found = there if there.is_dir() else there.parent, found + 1
    assert found > 60

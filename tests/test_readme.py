"""What the README shows is run as it stands, and what it lists is what there is."""

import re
from pathlib import Path
from typing import get_args

import attrs
import pytest
import trio

from imgsync.client.client import ReceivedImage
from imgsync.commands.client.program import Run, variables_of
from imgsync.commands.relay.options import make_parser
from imgsync.core.codec.codec import encode_event
from imgsync.core.protocol.channel import ChannelMessage
from imgsync.core.protocol.signalling import (
    CloseCode,
    EndReason,
    ErrorCode,
    FromRelay,
    Register,
    Role,
    ToRelay,
)
from imgsync.net.connect import open_relay_socket
from imgsync.net.server import open_port, port_of
from imgsync.relay.server import open_relay
from tests.kit.processes import SAMPLES

README = (Path(__file__).parent.parent / "README.md").read_text()


async def test_the_example_shows_every_image_of_its_folder(
    capsys: pytest.CaptureFixture[str],
) -> None:
    example = re.findall(r"```python\n(.*?)```", README, re.DOTALL)[0]
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


#: Said by both sides of a socket, or by nobody: they tell of how a connection ended.
NOT_SENT = {CloseCode.NORMAL, CloseCode.NO_STATUS, CloseCode.ABNORMAL}


def table(heading: str) -> dict[str, str]:
    """The rows of the table whose first column has this heading: the first cell, and the rest."""
    _, _, below = README.partition(f"\n| {heading} |")
    rows = [line.split(" | ", 1) for line in below.split("\n\n", 1)[0].splitlines()[2:]]
    return {first.strip("| `"): rest for first, rest in rows}


@pytest.mark.parametrize(("heading", "union"), [("you send", ToRelay), ("you get", FromRelay)])
def test_the_protocols_events_are_those_of_the_vocabulary(heading: str, union: object) -> None:
    classes = {cls.EVENT: cls for cls in get_args(union)}
    rows = table(heading)
    assert rows.keys() == classes.keys()
    for event, cls in classes.items():
        names = re.findall(r"`(\w+)`", rows[event])
        fields = {_camel(field.name) for field in attrs.fields(cls)}
        assert fields <= set(names), event


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(map(str.title, rest))


def test_the_protocols_reasons_are_those_that_a_relay_says() -> None:
    said = set(re.findall(r'"(\w+)"', table("you get")["session_ended"]))
    assert said == {reason.value for reason in list(EndReason)[:5]}


def test_the_protocols_error_codes_are_those_of_the_vocabulary() -> None:
    assert list(table("error code")) == [code.value for code in ErrorCode]


def test_the_protocols_close_codes_are_those_of_the_vocabulary() -> None:
    sent = [code for code in CloseCode if code not in NOT_SENT]
    assert list(table("close code")) == [str(code.value) for code in sent]


@pytest.mark.parametrize("cls", get_args(ChannelMessage))
def test_the_protocols_channel_messages_are_those_of_the_vocabulary(cls: type) -> None:
    rows = [row for row in table("message") if (f'"{getattr(cls, "TYPE", "imageIndex")}"') in row]
    named = [row for row in rows if all(f'"{_camel(f.name)}"' in row for f in attrs.fields(cls))]
    assert len(named) == 1
    assert len(table("message")) == len(get_args(ChannelMessage))


def test_the_relays_options_are_those_that_its_parser_has() -> None:
    flags = {
        flag
        for action in make_parser("relay")._actions
        for flag in action.option_strings
        if flag.startswith("--") and flag != "--help"
    }
    section = README.partition("\n## Running a relay on the internet")[2].partition("\n## ")[0]
    assert set(re.findall(r"(?m)^\| `(--[a-z-]+)", section)) == flags


def test_the_variables_of_a_program_are_those_that_it_gets() -> None:
    image = ReceivedImage(0, "http://h/a.png", "http://h/a.png?s", 1, 2, lambda *_: None)
    run = Run(image, needs_file=True)
    run.file_is_there(Path("a.png"))
    assert list(table("variable")) == list(variables_of(run))


def test_the_two_commands_are_one_line_each_and_of_one_shape() -> None:
    commands = re.findall(r"^\$\(command -v sudo\).*$", README, re.MULTILINE)
    assert len(commands) == 2
    assert commands[0].endswith(".venv/bin/imgsync demo")
    assert commands[1].endswith(".venv/bin/pytest")

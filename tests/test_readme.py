"""What the README shows is run as it stands, and what it lists is what there is."""

import re
from pathlib import Path

import pytest
import trio

from imgsync.core import messages
from imgsync.core.codec import encode_event
from imgsync.core.messages import CloseCode, ErrorCode, Register, Role
from imgsync.net.connect import open_relay_socket
from imgsync.net.server import open_port, port_of
from imgsync.relay.server import open_relay
from tests.processes import SAMPLES

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


def test_every_event_is_in_the_protocol_tables() -> None:
    classes = [cls for cls in vars(messages).values() if hasattr(cls, "EVENT")]
    assert len(classes) >= 10
    for cls in classes:
        assert f"| `{cls.EVENT}` |" in README


@pytest.mark.parametrize(
    "code",
    [code for code in ErrorCode if code not in (ErrorCode.UNAUTHORIZED, ErrorCode.RATE_LIMITED)],
)
def test_every_error_code_in_use_is_in_the_protocol(code: ErrorCode) -> None:
    assert f"`{code.value}`" in README


@pytest.mark.parametrize(
    "code",
    [CloseCode.GOING_AWAY, CloseCode.TOO_LARGE, CloseCode.REGISTER_TIMEOUT, CloseCode.TOO_SLOW],
)
def test_every_close_code_in_use_is_in_the_protocol(code: CloseCode) -> None:
    assert re.search(rf"\b{code.value}\b", README)


def test_the_two_commands_are_one_line_each_and_of_one_shape() -> None:
    commands = re.findall(r"^\$\(command -v sudo\).*$", README, re.MULTILINE)
    assert len(commands) == 2
    assert commands[0].endswith(".venv/bin/imgsync demo")
    assert commands[1].endswith(".venv/bin/pytest")

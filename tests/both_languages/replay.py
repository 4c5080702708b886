"""One driver for all pairs: inputs go through the pages' JavaScript in Node, as they do in Python.

A script is a list of inputs, each as JSON; what comes out is a list as long as that. The Python
side of a pair is in the test, which tells its outputs in the same form.
"""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from imgsync.core.protocol import numbers
from tests.kit.foreign import require

SCRIPTS = Path(numbers.__file__).parents[2] / "web" / "js"

Given = Any
"""An input, as JSON has it."""


class Replay:
    """Node with the pages' modules in it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def run(self, pair: str, inputs: Sequence[Given], **start: object) -> list[Any]:
        """What the JavaScript of a pair makes of these inputs, one after the other."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        job = {"pair": pair, "start": start, "inputs": list(inputs)}
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, f"{pair} failed in Node; its error is on stderr"
        outputs: list[Any] = json.loads(line)
        return outputs

    def compare(
        self,
        pair: str,
        inputs: Sequence[Given],
        expected: Sequence[object],
        label: object,
        **start: object,
    ) -> None:
        """Both languages have made the same of the inputs, at each step."""
        found = self.run(pair, inputs, **start)
        for step, (one, other) in enumerate(zip(found, expected, strict=True)):
            assert one == other, (label, step, inputs[max(0, step - 3) : step + 1])


@contextmanager
def open_replay(folder: Path) -> Iterator[Replay]:
    """Start Node, on a copy of the modules that says that they are modules."""
    node = shutil.which("node")
    require(node, "node is not installed")
    scripts = folder / "js"
    shutil.copytree(SCRIPTS, scripts)
    (scripts / "package.json").write_text('{"type": "module"}')
    command = (str(node), str(Path(__file__).with_name("replay.mjs")), scripts.as_uri())
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    ) as process:
        replay = Replay(process)
        yield replay
        if replay.is_alive:
            assert process.stdin is not None
            process.stdin.close()
            assert process.wait(10) == 0


def dice_of(pair: str, runs: int) -> Iterator[tuple[int, random.Random]]:
    """For each run its number and its dice, which fall the same way each time."""
    for run in range(runs):
        yield run, random.Random(f"{pair} {run}")


def time_after(dice: random.Random, now: float, longest: float) -> float:
    """A time that is later, or the same: often by nothing, a little, or a lot."""
    return now + dice.choice([0.0, dice.random() / 100, dice.random(), dice.uniform(0, longest)])

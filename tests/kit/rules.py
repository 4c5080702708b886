"""What the pages decide by themselves, in Node: their modules, without a browser."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from imgsync.relay.languages import Language
from tests.both_languages.replay import SCRIPTS
from tests.kit.foreign import require

CAMERA, MICROPHONE = "camera", "microphone"

# Each line is a module and the body of a function that gets it; the answer is what that returns.
RUN = """
import { createInterface } from "node:readline";
for await (const line of createInterface({ input: process.stdin })) {
  const { module, body } = JSON.parse(line);
  const found = await new Function("m", body)(await import(`${process.argv[1]}/${module}`));
  console.log(JSON.stringify(found));
}
"""


class Rules:
    """The modules of the pages, in Node."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(self, module: str, body: str) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"module": module, "body": body}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, f"{module} failed in Node; its error is on stderr"
        return json.loads(line)


@contextmanager
def open_rules(
    folder: Path, language: str = "en", own: Mapping[str, str] | None = None
) -> Iterator[Rules]:
    """Start Node, on a copy of the modules that says that they are modules, in a language."""
    node = shutil.which("node")
    require(node, "node is not installed")
    scripts = folder / "js"
    shutil.copytree(SCRIPTS, scripts)
    (scripts / "package.json").write_text('{"type": "module"}')
    (scripts / "words" / "chosen.js").write_bytes(Language(language, {}, own or {}).module)
    command = (str(node), "--input-type=module", "-e", RUN, scripts.as_uri())
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    ) as process:
        yield Rules(process)
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(10) == 0

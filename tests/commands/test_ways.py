"""How pictures come to clients, as the evaluator's command takes it."""

import argparse
import json
from pathlib import Path

import pytest

from imgsync.commands.evaluator.main import picture_size
from imgsync.core.protocol.numbers import MAX_IMAGE
from tests.kit.command_lines import evaluator
from tests.kit.forks import run_fork_to_end
from tests.kit.pictures import encode
from tests.kit.processes import STRICT


def test_a_limit_is_told_in_mib_and_may_be_a_part_of_one() -> None:
    assert picture_size("64") == MAX_IMAGE
    assert picture_size("0.5") == 1 << 19
    for text in ("0", "-1", "64.1", "inf", "nan", "1e-9", "", "much"):
        with pytest.raises(argparse.ArgumentTypeError, match="is no size in MiB"):
            picture_size(text)


async def test_what_can_not_be_is_told_before_anybody_is_asked(
    relay_url: str, tmp_path: Path
) -> None:
    manifest = tmp_path / "series.json"
    manifest.write_text(json.dumps(["http://127.0.0.1:1/a.png"]))
    (tmp_path / "1.png").write_bytes(encode("PNG", compress_level=0))
    command = evaluator(relay_url, "nobody", "--pictures", "peer", str(manifest))
    outcome = await run_fork_to_end("evaluator", *command, env=STRICT)
    assert outcome.code == 1
    assert "series.json' is no folder" in outcome.errors[-1]
    command = evaluator(relay_url, "nobody", "--limit", "0.001", str(tmp_path))
    outcome = await run_fork_to_end("evaluator", *command, env=STRICT)
    assert outcome.code == 1
    assert "1.png' is larger than the limit allows (0.001 MiB)" in outcome.errors[-1]

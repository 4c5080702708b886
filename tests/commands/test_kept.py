"""What a command has imported stays, and nobody looks through it for garbage."""

import sys
from functools import partial

from tests.kit.command_lines import client, evaluator
from tests.kit.processes import SAMPLES, STRICT, run_to_end, run_together

NOWHERE = "ws://127.0.0.1:1/ws"

THEN_COUNT = """
import gc, sys
from imgsync.__main__ import main
main(sys.argv[1:])
print(len(gc.get_objects()) < gc.get_freeze_count() / 10)
"""


async def test_nine_of_ten_objects_of_a_command_are_not_looked_through_for_garbage() -> None:
    lines = {
        "client": client(NOWHERE, "C"),
        "evaluator": evaluator(NOWHERE, "C", str(SAMPLES)),
    }
    outcomes = await run_together(
        {
            name: partial(
                run_to_end, name, sys.executable, "-c", THEN_COUNT, *words[3:], env=STRICT
            )
            for name, words in lines.items()
        }
    )
    for name, outcome in outcomes.items():
        assert outcome.lines == ["True"], name

"""A session that is being started, and what a person does before the relay has answered."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

STARTING = Path(__file__).parents[2] / "imgsync" / "web" / "js" / "console" / "starting.js"

SCRIPT = f"""
import {{ Starting }} from "{STARTING.as_uri()}";
import {{ RelayError }} from "{(STARTING.parents[1] / "peer" / "starting.js").as_uri()}";

const asked = [];
const log = [];
const signalling = {{
  state: "up",
  clients: new Set(["kim", "lou"]),
  startSession: (clientId, sessionId) => new Promise((resolve, reject) => {{
    log.push(`asks ${{clientId}} ${{sessionId ?? "anew"}}`);
    asked.push({{ resolve, reject, clientId, sessionId }});
  }}),
}};
const starting = new Starting(signalling, {{
  begun: ({{ sessionId }}, before) =>
    log.push(`begins ${{sessionId}} ${{before?.sessionId ?? ""}}`),
  changed: () => {{}},
}});
const settled = () => new Promise((resolve) => setTimeout(resolve));
const deeds = {{
  left: (clientId) => starting.remember({{ clientId, sessionId: "old" }}),
  choose: (clientId) => starting.choose(clientId),
  end: () => {{ log.push(`gives up ${{starting.forget()?.sessionId ?? ""}}`); }},
  there: () => starting.takeUp(),
  answer: (sessionId) => asked.shift().resolve({{
    sessionId,
    end: () => log.push(`ends ${{sessionId}}`),
    close: () => log.push(`leaves ${{sessionId}}`),
  }}),
  refuse: (code) => asked.shift().reject(new RelayError(code, code)),
}};
for (const [deed, what] of JSON.parse(process.argv[1])) {{
  deeds[deed](what);
  await settled();
}}
console.log(JSON.stringify([log, starting.awaited, starting.trouble !== ""]));
"""


@pytest.mark.parametrize(
    ("deeds", "log", "awaited", "is_trouble"),
    [
        ("left kim, answer old", "asks kim old, begins old old", None, False),
        ("choose kim, answer new", "asks kim anew, begins new ", None, False),
        # The end that is asked for while the relay thinks.
        (
            "left kim, end, answer old",
            "asks kim old, gives up old, ends old, leaves old",
            None,
            False,
        ),
        ("choose kim, end, answer 1", "asks kim anew, gives up , ends 1, leaves 1", None, False),
        ("choose kim, end, refuse client_busy", "asks kim anew, gives up ", None, False),
        # Another wish in its place.
        (
            "left kim, choose lou, answer old, answer 1",
            "asks kim old, ends old, leaves old, asks lou anew, begins 1 ",
            None,
            False,
        ),
        (
            "choose kim, end, choose kim, answer 1, answer 2",
            "asks kim anew, gives up , ends 1, leaves 1, asks kim anew, begins 2 ",
            None,
            False,
        ),
        ("left kim, choose kim, answer old", "asks kim old, begins old old", None, False),
        # What is refused.
        ("choose kim, refuse forbidden", "asks kim anew", None, True),
        ("left kim, refuse timeout", "asks kim old", "kim", False),
        (
            "left kim, refuse timeout, there, answer old",
            "asks kim old, asks kim old, begins old old",
            None,
            False,
        ),
        ("left kim, refuse no_session", "asks kim old", None, True),
    ],
)
def test_what_is_wanted_when_the_relay_answers_is_what_counts(
    deeds: str, log: str, awaited: str | None, is_trouble: bool
) -> None:
    steps = [(*deed.split(" "), None)[:2] for deed in deeds.split(", ")]
    command = ("node", "--input-type=module", "-e", SCRIPT, json.dumps(steps))
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [log.split(", "), awaited, is_trouble]

"""What the pages do where a relay can't reach what it shares with others: they say it again."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

SIGNALLING = (
    Path(__file__).parents[2] / "imgsync" / "web" / "js" / "peer" / "signalling.js"
).as_uri()

SCRIPT = f"""
import {{ mock }} from "node:test";
mock.timers.enable({{ apis: ["setTimeout"] }});
Math.random = () => 1; // pauses are the longest that they may be
globalThis.location = new URL("http://relay.example/");

/** Those that were opened, and what was said on each. */
const sockets = [];
globalThis.WebSocket = class {{
  static OPEN = 1;
  readyState = 1;
  said = [];
  constructor() {{
    sockets.push(this);
  }}
  send(text) {{
    const {{ event, data }} = JSON.parse(text);
    this.said.push([event, data.state ?? data.sessionId ?? null]);
  }}
  hear(event, data) {{
    this.onmessage?.({{ data: JSON.stringify({{ event, data }}) }});
  }}
  close() {{}}
}};

const {{ Signalling }} = await import("{SIGNALLING}");
const last = () => sockets.at(-1);
const registered = (more = {{}}) =>
  last().hear("registered", {{ userId: "u", role: "client", features: [], ...more }});
const outage = (event) => last().hear("error", {{ code: "unavailable", message: "no", event }});
const settled = () => new Promise(setImmediate);
const pass = async (seconds) => {{
  mock.timers.tick(seconds * 1000);
  await settled();
}};
const found = {{}};

// A page that comes first, and is refused twice.
const seen = [];
const door = {{ state: "entered" }};
const client = new Signalling(
  {{ url: "ws://relay.example/ws", userId: "u", role: "client", door }},
  {{ changed: (state, obstacle) => seen.push([state, obstacle]) }},
);
client.start();
for (const pause of [0.3, 0.6]) {{
  outage("register");
  last().onclose({{ code: 1013 }});
  await pass(pause);
}}
registered();
found.seen = [...seen];
found.sockets = sockets.length;

// Then it is touched, and the relay can do nothing with that either.
last().said.length = 0;
client.enter();
outage("enter");
outage("enter");
await pass(1.9);
found.early = [...last().said];
await pass(0.1);
found.entered = [...last().said];
client.stop();

// An evaluator whose session was to be taken up.
const present = [];
const evaluator = new Signalling(
  {{ url: "ws://relay.example/ws", userId: "e", role: "evaluator" }},
  {{ present: (clients) => present.push([...clients.keys()]) }},
);
evaluator.start();
const clients = [{{ userId: "c", state: "available", name: "c", features: [] }}];
registered({{ clients }});
const starting = evaluator.startSession("c");
await settled();
last().hear("session_started", {{ sessionId: "s", clientId: "c", evaluatorId: "e" }});
const route = await starting;
last().onclose({{ code: 1006 }});
await pass(0.3);
registered({{ clients }});
await settled();
present.length = 0;
outage("start_session");
await pass(2);
found.asked = [...last().said];
found.present = present.length;

// And its end.
const back = {{ sessionId: "s", clientId: "c", evaluatorId: "e", resumed: true }};
last().hear("session_started", back);
last().said.length = 0;
route.end();
route.close();
outage("end_session");
await pass(2);
last().hear("session_ended", {{ sessionId: "s", reason: "ended" }});
outage("webrtc_signal");
await pass(2);
found.ended = [...last().said];
console.log(JSON.stringify(found));
process.exit(0);
"""


def test_what_a_relay_could_not_do_is_said_again() -> None:
    command = ("node", "--no-warnings", "--input-type=module", "-e", SCRIPT)
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    refused = [["waiting", "unavailable"], ["connecting", "unavailable"]]
    assert found["seen"] == [["connecting", None], *refused * 2, ["up", None]]
    assert found["sockets"] == 3
    # Once for both answers, and not before the pause.
    assert found["early"] == [["enter", None]]
    assert found["entered"] == [["enter", None]] * 2
    assert found["asked"] == [["register", None], *[["start_session", "s"]] * 2]
    assert found["present"] == 1
    assert found["ended"] == [["end_session", "s"]] * 2

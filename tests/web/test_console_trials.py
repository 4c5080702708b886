"""Trials in the evaluator's console: what is asked, what is answered, what is noted, and on what it
is shown. What the client says is put into the mouth of its page."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.kit.browsers import JSON, Browser
from tests.kit.console_pages import ConsolePage, Images, open_console, open_images
from tests.kit.web_pages import ClientPage, open_client_page
from tests.web.test_console import download

TEXT = "Welcome.\nPress a key."

TRIALS: list[dict[str, Any]] = [
    {"showFor": 3_600_000, "respond": {"keys": ["f", "j"], "ends": True}},
    {"frames": 30, "respond": {"taps": True}, "sizeMm": 20},
    {"text": TEXT},
]

SPEAKS = ["preload", "exposure", "response", "text", "size"]


def puppet(*features: str) -> str:
    """A page that names these features and tells no answers or displays but those of the test."""
    return f"""
    const own = RTCDataChannel.prototype.send;
    RTCDataChannel.prototype.send = function (text) {{
      if (this.label !== "image-sync") return own.call(this, text);
      window.channel = this;
      const said = JSON.parse(text);
      if (said.type === "display" || said.type === "response") return undefined;
      if (said.type === "ready") said.features = {json.dumps(features)};
      return own.call(this, JSON.stringify(said));
    }};
    window.tell = (said) => own.call(window.channel, JSON.stringify(said));
    """


async def tell(client: ClientPage, **said: object) -> None:
    await client.page.run(f"tell({json.dumps(said)})")


def study_of(images: Images) -> str:
    """These trials, of images where they are no texts."""
    shown = json.loads(images.manifest(*range(len(TRIALS))))
    entries = [
        trial if "text" in trial else {**image, **trial}
        for image, trial in zip(shown, TRIALS, strict=True)
    ]
    return json.dumps({"name": "faces", "order": "given", "entries": entries})


async def current(console: ConsolePage) -> dict[str, Any]:
    """What names the last showing."""
    last = (await console.events("show"))[-1]
    return {name: last[name] for name in ("imageIndex", "sentAt")}


async def text_of(console: ConsolePage, selector: str) -> str:
    return str(await console.page.run(f"document.querySelector({selector!r}).innerText"))


@pytest.fixture
async def images() -> AsyncIterator[Images]:
    async with open_images() as server:
        yield server


async def test_answers_and_marks_are_told_as_they_come_and_are_in_the_record(
    browser: Browser, relay: str, images: Images, tmp_path: Path
) -> None:
    async with (
        open_client_page(browser, relay, "tia", puppet(*SPEAKS)) as client,
        open_console(browser, relay, "dr-tia") as console,
    ):
        await console.paste(study_of(images))
        await console.wait_names("0.png", "1.png", "text “Welcome. …”")
        await console.start("tia")
        await check_display(client, console)
        await check_marks_before_the_first_image(console)

        await console.press("n")
        await console.wait_says(
            "Up for 3600\u00a0s. Answers: F and J; the first one ends it.", "#asked"
        )
        await console.wait_fate(0, "shown")
        await check_answers(client, console)
        await check_marks(console)
        await check_text(console)
        await console.end()
        # The last showing can still be marked.
        await console.press("0")
        await console.wait_says("score 0", "#rows tr:first-child")
        await check_record(console, tmp_path)
        assert console.page.errors == []


async def check_display(client: ClientPage, console: ConsolePage) -> None:
    size = {"screenWidth": 1920, "screenHeight": 1080, "pixelRatio": 1.25}
    facts = {**size, "zoom": 1.1, "refreshRate": 143.98, "isolated": True, "pointer": "coarse"}
    await tell(client, type="display", at=1, **facts, languages=["de"])
    await console.wait_says("144.0", "#facts-sum")
    warnings = await text_of(console, "#facts-warnings")
    assert "144.0\u00a0Hz, and not at 60: a frame lasts 6.9\u00a0ms" in warnings
    assert "zoomed to 110\u00a0%" in warnings
    assert "let it connect a keyboard" in warnings
    assert "is not calibrated" in warnings
    await console.tap("#facts-sum")
    assert "1920 \u00d7 1080" in await text_of(console, "#facts-list")
    checked = {"checkedAt": 2 - 5 * 60_000, "checkFound": ["turn_silent", "camera_denied"]}
    await tell(client, type="display", at=2, **facts, **checked)
    await console.wait_says("has found", "#facts-warnings")
    warnings = await text_of(console, "#facts-warnings")
    found = "the TURN server did not answer (T2); camera not allowed in the browser (K3)"
    assert f"A check of the client\u2019s device, 5 min ago, has found: {found}." in warnings
    well = {**facts, "zoom": 1, "refreshRate": 60, "checkedAt": 3, "checkFound": []}
    await tell(client, type="display", at=3, **well, keyboard=True, pxPerMm=4.5)
    await console.wait_says("all well, just now", "#facts-list")
    await console.page.wait("document.querySelector('#facts-warnings').innerText === ''")


async def check_marks_before_the_first_image(console: ConsolePage) -> None:
    await console.wait_says("Note on the session, before its first image", "#note-label")
    await console.press("m")
    await console.page.insert("late by 5 min")
    await console.press("Enter")


async def check_answers(client: ClientPage, console: ConsolePage) -> None:
    """Each counts once, also where it is told again; the image and its row tell of it."""
    of = await current(console)
    said: JSON = {"type": "response", **of, "number": 1, "at": of["sentAt"] + 500, "kind": "key"}
    said |= {"value": "f", "reactionTime": 412.04, "within": 8.3}
    await tell(client, **said)
    told = "Answer: F after 412 ±\u00a08.3\u00a0ms"
    await console.wait_says(told, "#answers")
    await console.wait_says(told, "#rows tr:first-child")
    await console.page.reload_though_asked()
    await console.wait_says("Connected to tia")
    await console.wait_says(told, "#answers")
    await tell(client, **said)
    tap = {"number": 2, "at": of["sentAt"] + 900, "kind": "tap", "value": "picture"}
    await tell(client, **{**said, **tap, "reactionTime": None}, x=12.4, y=3)
    await console.wait_says(f"Answers: {told[8:]}; tap on it at 12, 3", "#answers")
    assert [one["number"] for one in await console.events("response")] == [1, 2]


async def check_marks(console: ConsolePage) -> None:
    await console.press("4")
    await console.wait_says("Noted: score 4", "#marks")
    await console.press("m")
    for key in "n 4":
        await console.press(key)
    await console.page.insert(" slow")
    # The keys of the field are its own.
    assert await text_of(console, "#caption") == "1 · 0.png"
    await console.press("Enter")
    await console.wait_says("Noted: score 4; “n 4 slow”", "#marks")
    await console.wait_says("Noted: score 4; “n 4 slow”", "#rows tr:first-child")


async def check_text(console: ConsolePage) -> None:
    await console.press("End")
    await console.wait_current(2)
    assert await text_of(console, "#no-picture") == TEXT
    assert await text_of(console, "#caption") == "3 · text “Welcome. …”"
    assert await text_of(console, "#marks") == ""
    assert await text_of(console, "#strip li:last-child .card") == TEXT
    await console.wait_says("3 text", "#rows tr:first-child")


async def check_record(console: ConsolePage, folder: Path) -> None:
    table, lines = await download(console, "dr-tia", folder)
    named = (
        "showFor",
        "frames",
        "answers",
        "answer",
        "answerKind",
        "reactionTime",
        "score",
        "note",
    )
    found = [[row[name] for name in named] for row in table]
    asked, noted = ["3600000.000", ""], ["4", "n 4 slow"]
    assert found == [
        [*asked, "2", "f", "key", "412.040", *noted],
        ["", "", "", "", "", "", "0", ""],
    ]
    names = [line["event"] for line in lines]
    assert names.count("study") == 1
    assert names.index("study") < names.index("sent")
    by_name = {line["event"]: line for line in reversed(lines)}
    study = {"name": "faces", "order": "given", "seed": None, "trials": 3}
    assert study.items() <= by_name["study"].items()
    assert by_name["sent"]["trial"] == TRIALS[0]
    assert by_name["mark"]["sentAt"] is None
    assert by_name["mark"]["text"] == "late by 5 min"
    assert by_name["display"]["refreshRate"] == 143.98


async def test_what_a_client_cant_do_is_told_by_name_and_the_session_goes_on(
    browser: Browser, relay: str, images: Images
) -> None:
    async with (
        open_client_page(browser, relay, "old", puppet("preload")),
        open_console(browser, relay, "dr-old") as console,
    ):
        await console.paste(study_of(images))
        await console.start("old")
        await console.wait_says("can\u2019t take images away by itself", "#facts-warnings")
        await console.wait_says("can\u2019t tell answers", "#facts-warnings")
        await console.wait_says("can\u2019t show texts", "#facts-warnings")
        await console.wait_says("can\u2019t show images in the size", "#facts-warnings")
        await console.press("End")
        await console.wait_says("Image 3 was not shown: it is a text")
        await console.press("Home")
        await console.wait_fate(0, "shown")
        await console.end()
        assert console.page.errors == []

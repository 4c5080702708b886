"""What the console decides with, against its Python counterparts where there are any."""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from imgsync.core.channel import outputs as c
from imgsync.core.channel.clocks import ClockOffset, Probe, Refused, Stepped
from imgsync.core.channel.presenter import Presenter
from imgsync.core.protocol.channel import UpcomingImage
from imgsync.core.protocol.errors import InputError
from imgsync.images.sources import read_manifest
from tests.kit.browsers import JSON, Browser, Page, open_browser
from tests.kit.console_pages import console_url

SCRIPT = Path(__file__).parent / "console.js"

RUNS = 150
INPUTS = 40


@pytest.fixture
async def page(chromium: str, relay: str) -> AsyncIterator[Page]:
    async with open_browser(chromium) as browser, open_module_page(browser, relay) as page:
        yield page


def open_module_page(browser: Browser, relay: str) -> Any:
    return browser.open_page(console_url(relay))


async def run(page: Page, script: str) -> Any:
    """A script with what `tests/both_languages/console.js` defines."""
    await page.wait("document.querySelector('#session-text')?.textContent.includes('incomplete')")
    await page.run(SCRIPT.read_text())
    return await page.run(script)


# ── the presenter ────────────────────────────────────────────────────────────────────────────────

STAGES = ("fetched", "shown", "hidden", "failed")


def choose_input(dice: random.Random, sent: list[float], now: float) -> list[Any]:
    """One input; what a client says is most often of an image that was shown."""
    index = dice.randrange(5)
    sent_at = dice.choice(sent) if sent and dice.random() < 0.9 else now + 1
    of = {"imageIndex": dice.choice([index, int(sent_at) % 5]), "sentAt": sent_at}
    source = {"imageUrl": f"http://h/{index}", "signedUrl": f"http://h/{index}?s"}
    sources = [{"imageUrl": f"http://h/{i}", "signedUrl": "http://h/s"} for i in range(index)]
    stage = dice.choice(STAGES)
    ready = {"type": "ready", "features": dice.choice([["preload"], ["stage", "ping"]])}
    acks = [
        {"type": "ack", "receivedAt": 5, **of},
        {"type": "ack", "receivedAt": 6, "sentAt": sent_at},
    ]
    staged = {"type": "stage", "stage": stage, "at": len(stage), **of}
    return dice.choice(
        [
            *[["show", int(now) % 5, source, now]] * 4,
            *[["received", one] for one in (*acks, staged, staged, ready)],
            ["preload", sources],
            ["opened"],
            ["closed"],
        ]
    )


def give(presenter: Presenter, method: str, *given: Any) -> list[Any]:
    outputs: list[Any]
    match method, given:
        case "show", [index, source, now]:
            _, outputs = presenter.show(index, source["imageUrl"], source["signedUrl"], now)
        case "received", [message]:
            outputs = presenter.received(json.dumps(message))
        case "preload", [images]:
            upcoming = [UpcomingImage(one["imageUrl"], one["signedUrl"]) for one in images]
            outputs = presenter.preload(upcoming)
        case _:
            outputs = getattr(presenter, method)()
    return outputs


def tell(outputs: list[Any]) -> list[list[object]]:
    told: list[list[object]] = []
    for output in outputs:
        match output:
            case c.Transmit(text):
                told.append(["transmit", json.loads(text)])
            case c.Acked(image, received_at, copies):
                told.append(["acked", [image.sent_at, received_at, copies]])
            case c.Superseded(image):
                told.append(["superseded", [image.sent_at]])
            case c.Staged(image, stage, at, reason):
                told.append(["staged", [image.sent_at, stage.value, at, reason]])
    return told


async def test_the_presenter_decides_as_the_python_one_does(page: Page) -> None:
    for seed in range(RUNS):
        dice = random.Random(seed)
        presenter = Presenter()
        inputs: list[list[Any]] = []
        expected = []
        for step in range(INPUTS):
            shown = [given[3] for given in inputs if given[0] == "show"]
            inputs.append(choose_input(dice, shown, 1000.0 + step))
            expected.append(tell(give(presenter, *inputs[-1])))
        found = await run(page, f"replayPresenter({json.dumps(inputs)})")
        for step, (one, other) in enumerate(zip(found, expected, strict=True)):
            assert one == other, (seed, inputs[: step + 1])


async def test_no_two_showings_have_the_same_time(page: Page) -> None:
    source = {"imageUrl": "http://h/1", "signedUrl": "http://h/1"}
    inputs = [["opened"], *[["show", 0, source, now] for now in (1000, 1000, 999, 1000.1, 2000)]]
    found = await run(page, f"replayPresenter({json.dumps(inputs)})")
    times = [outputs[-1][1]["sentAt"] for outputs in found[1:]]
    assert times == sorted(set(times))
    assert (times[0], times[-1]) == (1000, 2000)


async def test_what_is_announced_begins_with_the_next_image_and_stays_under_16_kib(
    page: Page,
) -> None:
    places = [None, 0, 20, 26, 98, 99]
    found = await run(page, f"announce(100, {json.dumps(places)})")
    named = [[index for _, indexes in messages for index in indexes] for messages in found]
    assert named == [
        list(range(50)),
        [],
        [],
        [*range(27, 77)],
        [99, *range(49)],
        [],
    ]
    assert all(size < 16 * 1024 for messages in found for size, _ in messages)
    assert len(found[0]) == 3


# ── manifests ────────────────────────────────────────────────────────────────────────────────────


def pair(image: object, signed: object) -> str:
    return json.dumps(
        [{"imageUrl": "http://h/0", "signedUrl": "http://h/0"}] * 2
        + [{"imageUrl": image, "signedUrl": signed}]
    )


GOOD = "https://h/a.png"
MANIFESTS = {
    "json": [
        "[]",
        "{}",
        "[1]",
        "[null]",
        "[[]]",
        '[{"imageUrl": 1}',
        pair(GOOD, GOOD),
        pair(GOOD, None),
        pair(None, GOOD),
        pair("HTTP://H/x", "https://h"),
        *[
            pair(GOOD, bad)
            for bad in ("", "ftp://h/x", "http:/h/x", "//h/x", "http://", "http:///x")
        ],
        *[
            pair(GOOD, bad)
            for bad in ("http://h:0/", "http://h:99999/", "http://h:x/", "http://[h/")
        ],
        *[
            pair(GOOD, bad)
            for bad in ("http://h/\n", " http://h/", "http://h/\u0085", "http://h/\ud800")
        ],
        pair("http://h:/x", "http://u:p@h:80/x?y#z"),
        pair("http://h/\u00e4 b", "http://[::1]:8/"),
        pair(["http://h/"], GOOD),
    ],
    "csv": [
        "imageUrl,signedUrl\n",
        "imageUrl,signedUrl\nhttp://h/0,http://h/1\n",
        "\ufeffsignedUrl,other,imageUrl\r\nhttp://h/0,,http://h/1\r\n\r\nhttp://h/2,x,http://h/3",
        'imageUrl,signedUrl\n"http://h/0,1","http://h/""q"""\n',
        "imageUrl,signedUrl\nhttp://h/0\n",
        "imageUrl,signedUrl\nhttp://h/0,http://h/1,more\n",
        "imageUrl,signedUrl\nhttp://h/0,http://h/1\nhttp://h/0,nothing\n",
        'imageUrl,signedUrl\n"http://h/0\n",http://h/1\n',
    ],
}


async def test_manifests_are_read_as_the_evaluators_command_reads_them(
    page: Page, tmp_path: Path
) -> None:
    for kind, texts in MANIFESTS.items():
        found = await run(page, f"readManifests({json.dumps(texts)})")
        for number, (text, read) in enumerate(zip(texts, found, strict=True)):
            file = tmp_path / f"{number}.{kind}"
            file.write_text(text, encoding="utf-8", newline="")
            expected = read_or_complain(file)
            assert (plain(read) if isinstance(read, str) else read) == expected, text


def plain(sentence: str) -> str:
    """Without what each JSON parser says in its own words, and without what makes it a sentence."""
    said = sentence[0].lower() + sentence[1:].removesuffix(".")
    return said.partition(" JSON:")[0]


def read_or_complain(file: Path) -> list[JSON] | str:
    """What the command reads, or what it says, of a manifest called M."""
    try:
        images = read_manifest(file)
    except InputError as exc:
        return plain(str(exc).replace(repr(str(file)), "M"))
    return [{"imageUrl": one.image_url, "signedUrl": one.signed_url} for one in images]


async def test_what_is_no_manifest_is_told_of_with_its_place(page: Page) -> None:
    unclosed = 'imageUrl,signedUrl\nhttp://h/0,http://h/1\n"http://h/0,http://h/1\n'
    huge = json.dumps([{"imageUrl": GOOD, "signedUrl": GOOD + "?" + "x" * 70_000}])
    found = await run(page, f"readManifests({json.dumps(['a,b', unclosed, huge])})")
    assert found[0] == (
        "The manifest M is neither JSON nor CSV with the columns imageUrl and signedUrl:"
        " its first line does not name imageUrl."
    )
    assert found[1] == "Line 3 of the manifest M is not CSV: a quotation mark is not closed."
    assert found[2].startswith("Image 0 of the manifest M has URLs of 70")


# ── the record ───────────────────────────────────────────────────────────────────────────────────


async def test_csv_is_read_as_it_was_written(page: Page) -> None:
    rows = [["a", 'b"c', "d,e"], ["line\nbreak", "1.5", ""], ["\r", '"', "x"]]
    text, read = await run(page, f"writeCsv({json.dumps(rows)})")
    file = io.StringIO()
    csv.writer(file).writerows(rows)
    assert text == file.getvalue()
    assert read == rows


async def test_clocks_are_compared_as_the_python_peers_do(page: Page) -> None:
    dice = random.Random(0)
    clocks, probes = ClockOffset(), []
    expected: list[list[object]] = []
    now, ahead = 1e6, 300.0
    for number in range(300):
        now += 2000
        # Now and then, a clock is set, or a pong says what can't be.
        ahead += 5000 if number % 90 == 70 else 0
        there, back = dice.uniform(-0.3 if number % 50 == 20 else 0, 30), dice.uniform(0, 30)
        t1 = now + there + ahead
        probe = Probe(
            now, t1, t1 + dice.choice([1, -1 if number % 40 == 30 else 1]), now + there + back
        )
        remark = clocks.take(probe)
        offset = clocks.at(probe.t3 + 500)
        told = offset and {"value": offset.value, "bound": offset.bound}
        match remark:
            case Stepped(by):
                expected.append(["stepped", by, told])
            case Refused():
                expected.append(["refused", None, told])
            case None:
                expected.append([None, None, told])
        probes.append([probe.t0, probe.t1, probe.t2, probe.t3])
    assert {kind for kind, _, _ in expected} == {"stepped", "refused", None}
    assert await run(page, f"compareClocks({json.dumps(probes)})") == expected


@pytest.mark.parametrize(("room", "is_kept", "found"), [(9, True, 350), (2, False, 200)])
async def test_a_record_is_found_again_and_says_so_where_it_is_not(
    page: Page, room: int, is_kept: bool, found: int
) -> None:
    kept, count, again = await run(page, f"fillRecord({room})")
    assert (kept, count) == (is_kept, 350)
    assert again == list(range(found))

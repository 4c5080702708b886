"""A study from the console's page to the client's page, over a relay: both are the real ones, and
what the participant does is done with keys and taps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import attrs

from tests.kit.browsers import JSON, Browser
from tests.kit.console_pages import ConsolePage, Images, open_console, open_images
from tests.kit.either_browser import in_either
from tests.kit.web_pages import ClientPage, open_client_page
from tests.web.test_console import download
from tests.web.test_console_trials import puppet

SEED = 20261129

ASKED: list[dict[str, Any]] = [
    {"showFor": 100, "respond": "f j ends", "block": 1},
    {"frames": 6, "respond": "f j", "block": 1},
    {"respond": {"taps": True, "ends": True}, "block": 2},
    {"showFor": 3_600_000, "respond": "f", "block": 2},
    {"showFor": 100, "block": 2},
]

REST, LAST = 6, 8
"""Places of the texts behind the images; the first is the instructions."""


def write_study(folder: Path, images: Images) -> Path:
    """Texts, and images in two blocks that are shuffled."""
    entries = [
        {**image, **asked}
        for image, asked in zip(json.loads(images.manifest(*range(5))), ASKED, strict=True)
    ]
    whole = {
        "name": "faces",
        "order": "shuffled",
        "seed": SEED,
        "instructions": "Press a key to begin.",
        "end": "Thank you.",
        "entries": [*entries, {"text": "Rest."}, {"text": "+", "showFor": 100}],
    }
    path = folder / "faces.json"
    path.write_text(json.dumps(whole))
    return path


@attrs.frozen
class Study:
    """The two pages, and what is where.

    :ivar places: of each image, by its number in the file.
    """

    console: ConsolePage
    client: ClientPage
    places: list[int]

    async def shown(self, place: int) -> JSON:
        return await self.client.wait_stage(place, "shown")

    async def answer(self, place: int, key: str = "f") -> None:
        """Press a key once it is shown, and wait until the console tells of that."""
        await self.shown(place)
        await self.client.page.press(key)
        await self.told(place, f"Answer: {key.upper() if len(key) == 1 else key} after")

    async def told(self, place: int, words: str) -> None:
        """Wait until the table of the console says this of it."""
        row = "[...document.querySelectorAll('#rows tr')].find((row) => "
        row += f"row.querySelector('.place').innerText === '{place + 1}')"
        await self.console.page.wait(f"{row}?.innerText.includes({words!r})")

    async def counted(self) -> str:
        return str(await self.console.page.run("document.querySelector('#go-count').innerText"))

    async def goes(self, words: str, button: str) -> None:
        """Wait until the console says this of how it goes on."""
        await self.console.wait_says(words, "#go-said")
        assert await self.console.page.run("document.querySelector('#go').innerText") == button


async def order_in(console: ConsolePage) -> list[int]:
    """The places of the images, by their numbers, once the series is there."""
    await console.wait_says(f"faces: 9 entries, shuffled by the seed {SEED}.", "#order")
    names = await console.page.run(
        "[...document.querySelectorAll('#strip button')].map((one) => one.ariaLabel)"
    )
    return [
        next(place for place, name in enumerate(names) if name.endswith(f", {number}.png"))
        for number in range(5)
    ]


@in_either
async def test_a_study_goes_on_by_itself_from_the_console_to_its_end(
    browser: Browser, relay: str, tmp_path: Path, browser_name: str
) -> None:
    async with (
        open_images() as images,
        open_client_page(browser, relay, "zoe") as client,
        open_console(browser, relay, "dr-zoe") as console,
    ):
        await console.page.choose_files("#file", [write_study(tmp_path, images)])
        study = Study(console, client, await order_in(console))
        await study.goes("Once there is a session", "Go on by itself")
        await console.press("g")
        await console.start("zoe")
        await study.goes("Each is shown when the one before is over.", "Go on by itself")
        await begin(study)
        for number in sorted(range(5), key=study.places.__getitem__):
            await take_part(study, number)
        await rest(study)
        await study.answer(LAST, "Enter")
        await study.goes("All was shown.", "Go on by itself")
        await console.end()
        assert [client.page.errors, console.page.errors] == [[], []]
        if browser_name == "chromium":
            loaded = tmp_path / "loaded"
            loaded.mkdir()
            check_table(study, *await download(console, "dr-zoe", loaded))


async def begin(study: Study) -> None:
    """By hand at first; it goes on from there."""
    await study.console.press("n")
    await study.answer(0, "Enter")
    await study.console.press("3")
    await study.console.wait_says("Noted: score 3", "#marks")
    await study.console.tap("#go")
    await study.goes("It goes on by itself.", "Pause")


async def take_part(study: Study, number: int) -> None:
    """As the participant, in what is asked of this image."""
    place = study.places[number]
    page = study.client.page
    if number == 2:
        await study.shown(place)
        await page.tap(*await page.run("[innerWidth / 2, innerHeight / 2]"))
        await study.told(place, "Answer: tap on it at")
    elif number == 3:
        await study.shown(place)
        await page.hide()
        # The next one waits at the client.
        await study.goes("It waits until somebody looks at the client\u2019s page.", "Pause")
        await page.unhide()
    elif number == 4:
        await study.client.wait_stage(place, "hidden", "exposure_over")
    else:
        await study.answer(place)


async def rest(study: Study) -> None:
    """A text waits for an answer, over a reload of the console; and whatever pauses is paused."""
    console = study.console
    await study.shown(REST)
    await study.goes("It goes on by itself.", "Pause")
    await console.page.reload_though_asked()
    await console.wait_says("Connected to zoe")
    await study.goes("It goes on by itself.", "Pause")
    await console.press("g")
    await study.goes("Paused", "Continue")
    await study.answer(REST, "j")
    assert await study.counted() == "7 of 9"
    await console.press("g")
    await study.client.wait_stage(REST + 1, "hidden", "exposure_over")


def check_table(study: Study, table: list[dict[str, str]], lines: list[JSON]) -> None:
    """All that was asked and answered, in the order that was shown."""
    assert [int(row["imageIndex"]) for row in table] == [*range(LAST + 1)]
    named = ("showFor", "frames", "answers", "answer", "answerKind", "score")
    found = [tuple(row[name] for name in named) for row in table]
    asked = [
        ("100.000", "", "1", "f", "key", ""),
        ("", "6", "1", "f", "key", ""),
        ("", "", "1", "picture", "tap", ""),
        ("3600000.000", "", "0", "", "", ""),
        ("100.000", "", "", "", "", ""),
    ]
    assert [found[place] for place in study.places] == asked
    assert found[0] == ("", "", "1", "Enter", "key", "3")
    assert found[REST] == ("", "", "1", "j", "key", "")
    assert found[LAST] == ("", "", "1", "Enter", "key", "")
    timed = [float(row["reactionTime"]) for row in table if row["answer"]]
    assert all(time > 0 for time in timed)
    up = [table[place]["framesUp"] for number, place in enumerate(study.places) if number != 2]
    assert all(int(frames) > 0 for frames in up)
    [told] = [line for line in lines if line["event"] == "study"]
    shuffled = {"name": "faces", "order": "shuffled", "seed": SEED, "trials": LAST + 1}
    assert shuffled.items() <= told.items()


async def test_what_a_client_does_not_do_holds_nothing_up_and_what_would_never_end_is_named(
    browser: Browser, relay: str
) -> None:
    async with (
        open_images() as images,
        open_client_page(browser, relay, "yves", puppet("preload")) as client,
        open_console(browser, relay, "dr-yves") as console,
    ):
        study = Study(console, client, [])
        shown: list[JSON] = json.loads(images.manifest(0, "gone", 2, 3))
        timed = [{**image, "showFor": 50} for image in shown]
        # A text that is passed over, an image that can't be loaded, and times that are taken here.
        await console.paste(json.dumps([{"text": "Welcome."}, *timed]))
        await console.start("yves")
        await console.press("g")
        await study.goes("All was shown. To go on from another image", "Go on by itself")
        assert await client.put_up() == [0, 2, 3]
        assert [one["imageIndex"] for one in await console.events("show")] == [*range(5)]
        # Whoever goes back can go on from there,
        await console.press("p")
        await study.goes("Paused", "Continue")
        await console.press("g")
        await study.goes("All was shown", "Go on by itself")
        assert await client.put_up() == [0, 2, 3, 2, 3]
        await console.press("g")
        # and with another series, from its beginning.
        await console.paste(json.dumps([timed[0], shown[1], {**shown[2], "respond": "f"}]))
        await study.goes("as these would never end: 2, 3. Each needs showFor", "Go on by itself")
        await console.press("g")
        await console.paste(json.dumps(shown))
        await console.page.wait("document.querySelector('#going').hidden")
        assert len(await console.events("show")) == 7
        await console.end()
        assert console.page.errors == []

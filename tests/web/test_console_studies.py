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

SEED = 20261129

ASKED: list[dict[str, Any]] = [
    {"showFor": 100, "respond": "f j ends", "block": 1},
    {"frames": 6, "respond": "f j", "block": 1},
    {"respond": {"taps": True, "ends": True}, "block": 2},
    {"showFor": 3_600_000, "respond": ["f"], "block": 2},
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
    entries[3]["respond"] = "f"
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
            check_table(study, *await download(console, "dr-zoe", tmp_path / "loaded"))


async def begin(study: Study) -> None:
    """By hand at first; what was shown so is gone on from."""
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
        await study.console.wait_says("until somebody looks", "#go-said")
        await page.unhide()
    elif number == 4:
        await study.client.wait_stage(place, "hidden", "exposure_over")
    else:
        await study.answer(place)


async def rest(study: Study) -> None:
    """A text waits for an answer, over a reload of the console; and whatever pauses is paused."""
    console, page = study.console, study.client.page
    await study.shown(REST)
    await page.hide()
    await study.goes("It waits until somebody looks", "Pause")
    await page.unhide()
    await study.goes("It goes on by itself.", "Pause")
    await console.page.reload_though_asked()
    await console.wait_says("Connected to zoe")
    await study.goes("It goes on by itself.", "Pause")
    await console.press("g")
    await study.goes("Paused", "Continue")
    await study.answer(REST, "j")
    assert await study.client.stages(REST + 1) == []
    await console.press("g")
    await study.client.wait_stage(REST + 1, "hidden", "exposure_over")


def check_table(study: Study, table: list[dict[str, str]], lines: list[JSON]) -> None:
    assert [int(row["imageIndex"]) for row in table] == list(range(9))

"""Pictures from the evaluator's own disk in the console: what it takes, and in which order."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.kit.browsers import Browser
from tests.kit.console_pages import ConsolePage, is_seen, open_console, open_images
from tests.kit.pictures import make_all
from tests.kit.stored_pictures import stored, wait_stored
from tests.kit.web_pages import WIDTH, make_png

NOWHERE = "uploaded to any server"

DRAWINGS = "wide unmarked", "plain", "wide"


def png(number: int) -> bytes:
    return make_png(WIDTH + number)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A hundred and twenty pictures, and what lies about in folders."""
    found = tmp_path / "block 1"
    (found / "old" / "deeper").mkdir(parents=True)
    (found / ".git").mkdir()
    for number in range(1, 121):
        (found / f"img{number}.png").write_bytes(png(number % 9))
    for name in (".hidden.png", "Thumbs.db", "._img1.png", "draw.py"):
        (found / name).write_bytes(b"x")
    (found / "old" / "img1.png").write_bytes(png(1))
    (found / "a.tif").write_bytes(b"II*\0....")
    (found / "b.tif").write_bytes(b"II*\0....")
    (found / "cut.png").write_bytes(png(2)[:-5])
    (found / "notes.txt").write_text("of block 1")
    (found / "picture").write_bytes(png(3))
    return found


async def test_a_folder_is_taken_in_natural_order_and_what_is_left_out_is_named_with_what_to_do(
    browser: Browser, relay: str, folder: Path
) -> None:
    async with open_console(browser, relay, "dr-folder") as console:
        page = console.page
        await console.wait_says(f"No picture is {NOWHERE}", "#own-hint")
        await console.drop_from_disk(folder)
        await console.wait_names(*[f"img{number}.png" for number in range(1, 121)])
        await console.wait_says("120 images, 1 to 120; block 1 on this device", "#series-name")
        await console.wait_says(f"None is {NOWHERE}", "#own-note")
        assert not await is_seen(console, "#reading, #intake-error:not(:empty)")
        await console.tap("#left-out summary")
        told = await page.run("document.querySelector('#left-out').innerText")
        assert [line for line in told.splitlines() if line] == [
            "6 files left out, and why",
            "2 files: TIFF, or a camera's raw picture (image/tiff), which browsers don\u2019t show."
            " Convert it to PNG, JPEG, WebP or AVIF.",
            *("a.tif", "b.tif"),
            *("1 file: cut off: its end is missing. Copy anew.", "cut.png"),
            "1 file: no picture. Nothing needs to be done if it is not meant to be one.",
            "notes.txt",
            "1 file: image/png, but its name does not end so. Rename, to end in .png.",
            "picture",
            "1 file: a folder inside of the folder. Drop one by itself to take its pictures.",
            "old",
        ]
        # The large view and the thumbnails are of its bytes; those out of sight hold none.
        await console.press("End")
        await page.wait(f"document.querySelector('#picture').naturalWidth === {WIDTH + 120 % 9}")
        last = "document.querySelector('#strip li:last-child img')"
        await page.wait(f"{last}.naturalWidth === {WIDTH + 120 % 9}")
        await page.wait("document.querySelectorAll('#strip img[src]').length < 40")
        await console.choose("#folder", folder)
        # They are here already: nobody is asked, and nothing is another.
        await console.wait_says("These pictures are here already.", "#announcer")
        assert not await is_seen(console, "#more")
        await console.wait_current(119)
        assert page.errors == []


async def test_files_that_hold_no_picture_change_nothing_and_are_named(
    browser: Browser, relay: str, tmp_path: Path
) -> None:
    empty = tmp_path / "empty"
    (empty / "inner").mkdir(parents=True)
    async with open_console(browser, relay, "dr-none") as console:
        await console.drop({"a.png": png(0)})
        await console.wait_names("a.png")
        # It is no list, although its name does not say so.
        await console.drop({"scan": b"II*\0...."})
        await console.wait_says("scan holds no picture that can be shown.", "#intake-error")
        await console.wait_says("TIFF", "#left-out")
        await console.drop_from_disk(empty)
        await console.wait_says("empty holds no picture that can be shown.", "#intake-error")
        await console.wait_says("a folder inside of the folder", "#left-out")
        many = {f"scan {number}.tif": b"II*\0...." for number in range(300)}
        await console.drop({**many, "x.heic": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "z.png": b""})
        await console.wait_says("302 files left out, and why", "#left-out")
        await console.wait_says("300 files: TIFF", "#left-out")
        box = "document.querySelector('#left-out-list')"
        assert await page_height(console, box) < 300
        await console.wait_names("a.png")
        assert console.page.errors == []


async def test_folders_that_are_dropped_together_are_one_series_and_a_name_is_there_once(
    browser: Browser, relay: str, tmp_path: Path
) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    for folder, numbers in ((one, (0, 1, 2)), (other, (0, 5, 3))):
        folder.mkdir()
        for name, number in zip(
            ("same.png", "twice.png", f"{folder.name}.png"), numbers, strict=True
        ):
            (folder / name).write_bytes(png(number))
    async with open_console(browser, relay, "dr-both") as console:
        await console.drop_from_disk(one, other)
        await console.wait_names("one.png", "other.png", "same.png", "twice.png")
        await console.tap("#left-out summary")
        told = await console.page.run("document.querySelector('#left-out').innerText")
        assert [line for line in told.splitlines() if line] == [
            "1 file left out, and why",
            "1 file: there is another picture of this name among them."
            " Give each a name of its own.",
            "twice.png",
        ]


MANY = """
(() => {
  const carried = new DataTransfer();
  const svg = (n) => `<svg xmlns="http://www.w3.org/2000/svg" width="${n}" height="9"/>`;
  for (let n = 5000; n > 0; n -= 1) carried.items.add(new File([svg(n)], `${n}.svg`));
  window.turns = 0;
  const turn = () => { turns += 1; setTimeout(turn); };
  turn();
  const how = { dataTransfer: carried, bubbles: true, cancelable: true };
  document.body.dispatchEvent(new DragEvent("drop", how));
})();
"""


async def test_five_thousand_files_leave_the_page_its_turns_and_only_what_is_in_sight_is_decoded(
    browser: Browser, relay: str
) -> None:
    async with open_console(browser, relay, "dr-many") as console:
        page = console.page
        await page.run(MANY)
        await page.wait("document.querySelector('#read-text').innerText.endsWith('of 5,000 …')")
        await page.wait("document.querySelectorAll('#strip li').length === 5000", 30)
        assert await page.run("turns") > 100
        await console.press("End")
        await console.wait_current(4999)
        await page.wait("document.querySelector('#strip li:last-child img').naturalWidth === 5000")
        await page.wait("document.querySelectorAll('#strip img[src]').length < 60")
        await console.press("Home")
        await page.wait("document.querySelector('#strip img').naturalWidth === 1")
        await page.wait("document.querySelectorAll('#strip img[src]').length < 60")
        await console.wait_says("5,000 pictures from this device", "#own-note")
        assert page.errors == []


async def page_height(console: ConsolePage, element: str) -> float:
    height: float = await console.page.run(f"{element}.getBoundingClientRect().height")
    return height


async def test_a_drawing_in_an_encoding_that_browsers_do_not_know_is_seen_here_as_at_the_client(
    browser: Browser, relay: str
) -> None:
    drawings = {f"{place}.svg": make_all()[f"{kind} svg"] for place, kind in enumerate(DRAWINGS)}
    async with open_console(browser, relay, "dr-drawn") as console:
        await console.drop(drawings)
        await console.wait_names(*drawings)
        for place in range(len(drawings)):
            await console.press("n")
            await console.wait_current(place)
            await console.page.wait("document.querySelector('#picture').naturalWidth === 40")
            thumb = f"document.querySelector('#strip li:nth-child({place + 1}) img')"
            await console.page.wait(f"{thumb}.naturalWidth === 40 && !{thumb}.hidden")
        assert console.page.errors == []


# ── more of them ─────────────────────────────────────────────────────────────────────────────────


async def test_more_pictures_are_added_or_take_the_place_of_those_that_are_here(
    browser: Browser, relay: str
) -> None:
    async with open_console(browser, relay, "dr-more") as console:
        page = console.page
        await console.drop({"b.png": png(1), "a.png": png(0)})
        await console.wait_names("a.png", "b.png")
        await console.press("n")
        await console.drop(
            {"a.png": png(5), "b.png": png(1), "c 10.png": png(3), "C 9.png": png(2)}
        )
        await console.wait_says("2 more pictures are ready.", "#more")
        await console.wait_says("1 with the name of one that is here is another picture.", "#more")
        # Keys drive meanwhile.
        await console.press("n")
        await console.wait_current(1)
        await console.tap("#more-add")
        await console.wait_names("a.png", "b.png", "C 9.png", "c 10.png")
        await console.wait_says("another picture of this name is here. Rename one", "#left-out")
        await console.wait_current(1)
        first = "document.querySelector('#strip button').value"
        token = (await page.run(first)).split("/")[1]
        await console.drop({"d.png": png(4)})
        await console.wait_says("1 more picture is ready. 4 are here already.", "#more")
        await console.tap("#more-no")
        assert not await is_seen(console, "#more")
        assert len(await console.thumbs()) == 4
        await console.drop({"d.png": png(4)})
        await console.tap("#more-replace")
        await console.wait_names("d.png")
        assert (await page.run(first)).split("/")[1] != token
        assert page.errors == []


SLOW = """
const read = Blob.prototype.arrayBuffer;
window.waiting = [];
Blob.prototype.arrayBuffer = async function () {
  if (this.name?.startsWith("slow")) await new Promise((then) => waiting.push(then));
  return read.call(this);
};
"""


async def test_whatever_comes_in_is_wanted_in_the_place_of_what_is_being_read(
    browser: Browser, relay: str
) -> None:
    async with browser.open_page() as first:
        await first.run_early(SLOW)
        async with open_console(browser, relay, "dr-slow", beside=first) as console:
            page = console.page
            await page.run(SLOW)
            slow = {f"slow {number}.png": png(number) for number in range(9)}
            await console.drop({**slow, "a.png": png(0)})
            await console.wait_says("Reading 1 of 10", "#reading")
            await console.drop({"b.png": png(1)})
            await console.wait_names("b.png")
            assert not await is_seen(console, "#reading")
            await page.run("waiting.splice(0).forEach((go) => go())")
            await console.drop(slow)
            await console.wait_says("Reading 0 of 9", "#reading")
            await console.tap("#read-stop")
            assert not await is_seen(console, "#reading")
            await page.run("waiting.splice(0).forEach((go) => go())")
            await console.drop({"b.png": png(1)})
            await console.wait_says("This picture is here already.", "#announcer")
            await console.wait_names("b.png")
            assert page.errors == []


# ── their order ──────────────────────────────────────────────────────────────────────────────────


async def test_pictures_are_moved_and_removed_by_buttons_keys_and_dragging_and_it_can_be_undone(
    browser: Browser, relay: str
) -> None:
    async with open_console(browser, relay, "dr-order") as console:
        page = console.page
        await console.drop({f"{name}.png": png(ord(name) % 8) for name in "abcdef"})
        await console.wait_names(*(f"{name}.png" for name in "abcdef"))
        await console.tap("#strip li:nth-child(3) button")
        await console.wait_current(2)
        await console.tap("#arrange")
        # What is picked is not shown.
        await console.tap("#strip li:nth-child(1) button")
        await console.wait_current(2)
        await console.tap("#later")
        await console.wait_says("a.png is at place 2 of 6.", "#arrange-said")
        await page.run("document.querySelector('#strip [aria-pressed=true]').focus()")
        await console.press("ArrowRight")
        await console.press("ArrowRight")
        await console.press("Delete")
        await console.wait_says("d.png is removed.", "#arrange-said")
        # The focus stays there, so that no key goes on to the session.
        for key, focused in ((" ", "e"), ("ArrowRight", "f"), ("Home", "b")):
            await console.press(key)
            await page.wait(f"document.activeElement.value?.endsWith('/{focused}.png')")
        await wait_order(console, "bacef", current="c")
        for from_, to, order in ((1, 5, "acefb"), (5, 1, "bacef"), (2, 4, "bceaf")):
            await drag(console, from_, to)
            await wait_order(console, order, current="c")
        for order in ("bacef", "acefb", "bacef", "bacdef", "abcdef"):
            await console.tap("#undo")
            await wait_order(console, order, current="c")
        assert await page.run("document.querySelector('#undo').ariaDisabled") == "true"
        await console.tap("#strip li:nth-child(3) button")
        await console.tap("#take-out")
        # Nobody sees it but the evaluator: what took its place is current.
        await wait_order(console, "abdef", current="d")
        await console.tap("#arrange")
        await console.press("n")
        await wait_order(console, "abdef", current="e")
        await page.reload()
        await console.wait_says("connected", "#relay")
        await console.wait_names(*(f"{name}.png" for name in "abdef"))
        assert page.errors == []


async def wait_order(console: ConsolePage, letters: str, current: str) -> None:
    await console.wait_names(*(f"{letter}.png" for letter in letters))
    await console.wait_current(letters.index(current))


async def drag(console: ConsolePage, from_: int, to: int) -> None:
    """With a mouse, from one thumbnail to the far half of another one; both count from 1."""
    boxes = await console.page.run(
        f"[{from_}, {to}].map((n) => document.querySelector(`#strip li:nth-child(${{n}})`))"
        ".map((one) => one.getBoundingClientRect().toJSON())"
    )
    (start, end), y = boxes, boxes[0]["y"] + 20
    into = 0.75 if to > from_ else 0.25
    path = [start["x"] + start["width"] / 2, end["x"] + end["width"] / 2]
    path.append(end["x"] + end["width"] * into)
    mouse = {"y": y, "button": "left", "clickCount": 1}
    send = console.page.command
    await send("Input.dispatchMouseEvent", type="mousePressed", x=path[0], **mouse)
    for x in path[1:]:
        await send("Input.dispatchMouseEvent", type="mouseMoved", x=x, buttons=1, **mouse)
    await console.page.wait("document.querySelector('#strip [data-gap]') !== null")
    for _ in range(2):
        await console.page.run("new Promise(requestAnimationFrame)")
    await send("Input.dispatchMouseEvent", type="mouseReleased", x=path[-1], **mouse)


# ── two tabs ─────────────────────────────────────────────────────────────────────────────────────


async def test_a_tab_drops_the_pictures_that_it_has_no_more_and_none_of_another_one(
    browser: Browser, relay: str
) -> None:
    async with (
        open_images() as images,
        browser.open_page() as first,
        open_console(browser, relay, "dr-two", beside=first) as console,
    ):
        await console.drop({"a.png": png(0), "b.png": png(1)})
        await console.wait_says("This browser keeps them for a reload", "#own-note")
        async with open_console(browser, relay, "dr-two", beside=first) as other:
            assert await other.thumbs() == []
            await other.drop({"x.png": png(0)})
            await wait_stored(other.page, "a.png", "b.png", "x.png")
            await other.drop({"y.png": png(2)})
            await other.tap("#more-replace")
            await wait_stored(other.page, "a.png", "b.png", "y.png")
            await console.page.reload()
            await console.wait_names("a.png", "b.png")
            assert len(await stored(console.page)) == 3
            # A list of URLs takes the place of pictures.
            await other.paste(images.manifest(0))
            await wait_stored(console.page, "a.png", "b.png")
            assert not await is_seen(other, "#own")
            assert other.page.errors == []
        assert console.page.errors == []

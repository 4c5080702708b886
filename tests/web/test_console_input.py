"""What goes into the evaluator's console in Chromium: manifests, keys and taps."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from pathlib import Path

import jwt
import pytest

from tests.kit.browsers import Browser
from tests.kit.console_pages import (
    SECRET,
    ConsolePage,
    Images,
    console_url,
    is_seen,
    open_console,
    open_images,
)
from tests.kit.forks import open_relay
from tests.kit.web_pages import open_client_page


@pytest.fixture
async def images() -> AsyncIterator[Images]:
    async with open_images() as server:
        yield server


# ── manifests ────────────────────────────────────────────────────────────────────────────────────


async def test_a_manifest_that_is_wrong_is_told_of_and_changes_nothing(
    browser: Browser, relay: str, images: Images
) -> None:
    async with open_console(browser, relay, "dr-paste") as console:
        await console.paste(images.manifest(0, 1, 2))
        await console.page.wait("document.querySelectorAll('#strip li').length === 3")
        bad = json.loads(images.manifest(0, 1, 2, 3))
        bad[2]["signedUrl"] = "file:///etc/passwd"
        await console.paste(json.dumps(bad))
        await console.wait_says(
            "Image 3 of the list that was pasted has no signedUrl that is an http or https URL"
            " (line 1, column ",
            "#intake-error",
        )
        assert len(await console.thumbs()) == 3
        assert await console.page.run("document.querySelector('#paste').value") == json.dumps(bad)
        bad[2]["signedUrl"] = bad[2]["imageUrl"]
        lines = [",".join([entry["imageUrl"], f'"{entry["signedUrl"]}"']) for entry in bad]
        await console.paste("\n".join(["imageUrl,signedUrl", *lines, ""]))
        await console.page.wait("document.querySelectorAll('#strip li').length === 4")
        assert await console.page.run("document.querySelector('#intake-error').textContent") == ""
        assert console.page.errors == []


async def test_a_manifest_may_be_chosen_dropped_or_loaded(
    browser: Browser, relay: str, images: Images, tmp_path: Path
) -> None:
    images.manifests["/series"] = images.manifest(0, 1)
    async with open_console(
        browser, relay, "dr-file", manifest=f"{images.origin}/series?key={SECRET}"
    ) as console:
        page = console.page
        await page.wait("document.querySelectorAll('#strip li').length === 2")
        await console.wait_says(f"list {images.origin}/series, read just now", "#series-name")
        file = tmp_path / "three.json"
        file.write_text(images.manifest(0, 1, 2))
        root = await page.command("DOM.getDocument")
        node = {"nodeId": root["root"]["nodeId"], "selector": "#file"}
        found = await page.command("DOM.querySelector", **node)
        await page.command("DOM.setFileInputFiles", files=[str(file)], nodeId=found["nodeId"])
        await console.wait_says("3 images, 1 to 3; list three.json", "#series-name")
        text = images.manifest(0, 1, 2, 3)
        await page.run(
            "const carried = new DataTransfer();"
            f" carried.items.add(new File([{text!r}], 'four.json'));"
            " document.body.dispatchEvent("
            " new DragEvent('drop', { dataTransfer: carried, bubbles: true, cancelable: true }))"
        )
        await console.wait_says("4 images, 1 to 4; list four.json", "#series-name")
        await page.run("document.querySelector('#intake').open = true")
        await console.tap("#url")
        await page.insert(f"{images.origin}/nothing")
        await console.press("Enter")
        await console.wait_says("its server says HTTP 403", "#intake-error")
        assert len(await console.thumbs()) == 4
        # Over a reload, it is the last one that counts, and not the one that the address names.
        await page.reload()
        await console.wait_says("4 images, 1 to 4; list four.json", "#series-name")
        assert len(await console.thumbs()) == 4


async def test_what_is_no_list_of_images_is_told_what_to_do_and_a_list_of_urls_is_taken(
    browser: Browser, relay: str, images: Images
) -> None:
    async with open_console(browser, relay, "dr-drop") as console:
        page = console.page
        urls = [f"{images.origin}/{index}.png" for index in range(3)]
        for text in ("\n".join(urls), json.dumps(urls), "imageUrl\n" + "\n".join(urls)):
            await console.paste(json.dumps(urls[:1]))
            await console.wait_says("1 image;", "#series-name")
            await console.paste(text)
            await console.wait_says("3 images, 1 to 3; list that was pasted", "#series-name")
        await console.press("n")
        await page.wait("document.querySelector('#picture').naturalWidth === 10")
        picture = "new File(['x'], 'b.png', { type: 'image/png' })"
        dropped = {
            f"[{picture}]": "b.png holds no picture that can be shown.",
            f"[{picture}, new File(['x'], 'c.HEIC')]": "These files hold no picture",
            "[new File(['x'], 'a.csv'), new File(['x'], 'c.txt')]": "These are 2 files, and no",
            "[]": "What was dropped is no file.",
        }
        for files, words in dropped.items():
            await page.run(
                "(() => { const carried = new DataTransfer();"
                f" for (const file of {files}) carried.items.add(file);"
                " const drop = new DragEvent('drop', { dataTransfer: carried, cancelable: true,"
                " bubbles: true }); document.body.dispatchEvent(drop);"
                " window.isTaken = drop.defaultPrevented; })()"
            )
            await console.wait_says(words, "#intake-error")
            # Else the browser would put it in the place of this page.
            assert await page.run("window.isTaken")
        assert len(await console.thumbs()) == 3
        assert page.errors == []


# ── keys and taps ────────────────────────────────────────────────────────────────────────────────


async def test_keys_and_taps_choose_images(browser: Browser, relay: str, images: Images) -> None:
    async with open_console(browser, relay, "dr-keys") as console:
        await console.paste(images.manifest(*range(6)))
        await console.page.wait("!document.querySelector('#show').hidden")
        await console.page.run("document.activeElement.blur()")
        keys = [
            ("p", None),
            *[("n", 0), ("ArrowRight", 1), (" ", 2), ("ArrowLeft", 1), ("p", 0), ("p", 0)],
            *[("End", 5), ("n", 5), ("Home", 0)],
        ]
        for key, index in keys:
            await console.press(key)
            if index is None:
                assert await console.page.run("document.querySelector('[aria-current]')") is None
            else:
                await console.wait_current(index)
        await console.tap("#next")
        await console.wait_current(1)
        # Space means the next one, whichever button has the focus.
        await console.press(" ")
        await console.wait_current(2)
        await console.tap("#strip li:nth-child(5) button")
        await console.wait_current(4)
        await console.press("ArrowLeft")
        await console.wait_current(3)
        in_focus = await console.page.run("document.activeElement.ariaLabel")
        assert in_focus == "Image 4, 3.png"
        await console.tap("#goto")
        await console.page.insert("6")
        await console.press("Home")
        await console.wait_current(3)
        await console.press("Enter")
        await console.wait_current(5)
        # Without a session, nobody was shown anything.
        assert await console.events("show") == []
        assert console.page.errors == []


async def test_no_key_and_no_second_tap_ends_a_session_and_keys_drive_wherever_the_focus_is(
    browser: Browser, relay: str, images: Images
) -> None:
    async with (
        open_client_page(browser, relay, "sue") as client,
        open_console(browser, relay, "dr-sue") as console,
    ):
        page = console.page
        await console.paste(images.manifest(*range(9)))
        await console.wait_says("sue", "#clients")
        # Next, right after Start, is not lost.
        start = "document.querySelector('#clients button').click()"
        await page.run(f"{start}; document.querySelector('#next').click()")
        await client.wait_stage(0, "shown")
        await console.wait_says("on the client", "#fate")
        await page.run("document.querySelector('#intake').open = true")
        current = 0
        for focused in ("#end", "#file", "#csv", "summary", "#previous", "#strip button", ".skip"):
            for key in (" ", "n") if focused == "#end" else (" ",):
                await page.run(f"document.querySelector('{focused}').focus()")
                await console.press(key)
                current += 1
                await console.wait_current(current)
        await console.press("Home")
        # In a field, keys are text.
        await page.run("document.querySelector('#url').focus()")
        await console.press("n")
        assert await page.run("document.querySelector('#url').value") == "n"
        # Who taps twice has not ended it, and the focus is where no key does.
        spot = await page.run(
            "document.querySelector('#end').scrollIntoView({ block: 'center' });"
            " (({ x, y, width, height }) => [x + width / 2, y + height / 2])"
            "(document.querySelector('#end').getBoundingClientRect())"
        )
        await page.tap(*spot)
        assert await page.run("document.activeElement.id") == "end-no"
        await page.tap(*spot)
        for key in ("Enter", " ", "Enter"):
            await console.press(key)
        await console.wait_current(1)
        assert await is_seen(console, "#end-ask")
        await console.tap("#end-no")
        assert not await is_seen(console, "#end-ask")
        # The one that is current is not shown again.
        shown = len(await console.events("show"))
        await console.tap("#strip li:nth-child(2) button")
        await console.press("n")
        await console.wait_fate(2, "shown")
        assert len(await console.events("show")) == shown + 1
        await console.wait_says("Connected to sue")
        await console.end()
        assert console.page.errors == []


async def test_all_of_a_session_can_be_done_by_keys_alone(
    browser: Browser, relay: str, images: Images
) -> None:
    async with (
        open_client_page(browser, relay, "kay") as client,
        open_console(browser, relay, "dr-kay") as console,
    ):
        await console.paste(images.manifest(0, 1))
        await console.wait_says("kay", "#clients")
        await console.page.run("document.querySelector('.skip').focus()")
        await tab_to(console, "#clients button")
        await console.press("Enter")
        await console.wait_says("Connected to kay")
        # Where the focus goes, the next thing is to be done.
        await console.page.wait("document.activeElement.id === 'next'")
        await console.press("Enter")
        await client.wait_stage(0, "shown")
        seen = await tab_to(console, "#end")
        assert {"goto", "csv", "jsonl"} <= set(seen)
        await console.press("Enter")
        await tab_to(console, "#end-yes")
        await console.press("Enter")
        await console.wait_says("ended in good order")
        assert await console.page.run("document.activeElement.closest('#clients-fold') !== null")


async def tab_to(console: ConsolePage, selector: str) -> list[str]:
    """Go on by Tab until this has the focus; the ids that had it before."""
    seen: list[str] = []
    for _ in range(40):
        if await console.page.run(f"document.activeElement.matches({selector!r})"):
            return seen
        seen.append(await console.page.run("document.activeElement.id"))
        await console.press("Tab")
    raise AssertionError(f"no {selector} after {seen}")


# ── who may not ──────────────────────────────────────────────────────────────────────────────────


async def test_an_address_that_does_not_say_who_it_is_for_is_told_of(
    browser: Browser, relay: str
) -> None:
    async with browser.open_page(console_url(relay)) as page:
        await ConsolePage(page).wait_says("This link is incomplete.")
        assert not await page.run("document.querySelector('#clients').checkVisibility()")
        assert page.errors == []


async def test_a_token_lets_in_again_after_a_reload_and_is_not_to_be_seen(
    browser: Browser, tmp_path: Path
) -> None:
    secret = "a secret of thirty-two characters, or more"
    file = tmp_path / "secret"
    file.write_text(secret)
    claims = {"sub": "dr-key", "role": "evaluator", "exp": int(time.time()) + 600}
    token = jwt.encode(claims, secret, algorithm="HS256")
    async with open_relay("--auth-secret-file", str(file)) as relay:
        async with open_console(browser, relay, "dr-key", token=token) as console:
            assert await console.page.run("location.search") == "?user=dr-key"
            await console.page.reload()
            await console.wait_says("connected", "#relay")
            assert token not in await console.page.run("document.documentElement.outerHTML")
            assert console.page.errors == []
        async with browser.open_page(console_url(relay, user="dr-lee", token=token)) as page:
            await ConsolePage(page).wait_says("This link is not valid.")

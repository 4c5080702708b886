"""A tab that serves one page after the other: the next one finds nothing of the one before."""

from __future__ import annotations

from tests.kit.browsers import JSON, Browser
from tests.kit.chromium import ChromiumPage
from tests.kit.web_pages import ClientPage, page_url

LEAVE = """(async () => {
  sessionStorage.setItem("before", "1");
  localStorage.setItem("before", "1");
  document.cookie = "before=1";
  await new Promise((resolve) => (indexedDB.open("before").onsuccess = resolve));
  history.pushState("before", "");
  addEventListener("beforeunload", (event) => event.preventDefault());
})()"""

FOUND = """(async () => ({
  kept: [sessionStorage.before, localStorage.before, document.cookie].filter(Boolean),
  databases: (await indexedDB.databases()).map(({ name }) => name),
  state: history.state,
  early: window.isEarly ?? null,
  width: innerWidth,
}))()"""

TOUCHED = "navigator.userActivation.hasBeenActive"


async def test_a_page_finds_nothing_of_the_one_before_it_in_its_tab(
    browser: Browser, relay: str
) -> None:
    targets: list[str] = []
    found: list[JSON] = []
    for user in ("before", "after"):
        async with browser.open_page() as page:
            assert isinstance(page, ChromiumPage)
            targets.append(page.target)
            await page.run_early("" if found else "window.isEarly = true")
            await page.goto(page_url(relay, user=user, door="off"))
            await ClientPage(page).wait_says("Ready.")
            found.append(await page.run(FOUND))
            await page.resize(300, 200)
            await page.tap(100, 100)
            await page.wait(TOUCHED)
            await page.run(LEAVE)
            assert page.errors == []
    first, second = found
    assert targets[0] == targets[1]
    assert second.pop("early") is None
    assert first.pop("early") is True
    assert second == first
    assert second["kept"] == []

"""What the console keeps of pictures in its browser's storage."""

from __future__ import annotations

import trio

from tests.kit.browsers import ANSWER_S, Page

STORED = """
(async () => {
  const answer = (asked) => new Promise((then) => { asked.onsuccess = () => then(asked.result); });
  const all = await indexedDB.databases();
  const [{ name }] = all.filter(({ name }) => name.startsWith("imgsync pictures of"));
  const database = await answer(indexedDB.open(name));
  const pictures = database.transaction("pictures", "readwrite").objectStore("pictures");
  %s
  const keys = await answer(pictures.getAllKeys());
  database.close();
  return keys.map(([token, url]) => [token, url.split("/").at(-1)]);
})()
"""


async def stored(page: Page, first: str = "") -> list[list[str]]:
    """Token and name of each that is stored."""
    found: list[list[str]] = await page.run(STORED % first)
    return found


async def wait_stored(page: Page, *names: str) -> None:
    """Wait until these are stored, and no others."""
    with trio.fail_after(ANSWER_S):
        while sorted(name for _, name in await stored(page)) != sorted(names):
            await page.run("new Promise((then) => setTimeout(then, 20))")

"""What each state of a page owes to who sees little, uses no mouse, or wants calm. In Chromium."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import attrs

from tests.kit.albums import SIZES, resize
from tests.kit.browsers import JSON, Page
from tests.kit.foreign import PEERS, require

AXE = PEERS / "node_modules" / "axe-core" / "axe.min.js"

LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]

LARGE = 2
"""How much larger everything is to be had (WCAG 2.2, 1.4.4)."""

# What of its text lies beside the window, or is cut off by its own edges, but for what is scrolled
# sideways on purpose and what is only for those who listen.
CUT = """
(() => {
  const texts = (one) => [...one.childNodes].filter(({ nodeType }) => nodeType === Node.TEXT_NODE);
  const isBeside = (text) => {
    const range = document.createRange();
    range.selectNodeContents(text);
    return [...range.getClientRects()].some(({ left, right, width }) =>
      width > 2 && (left < -1 || right > document.documentElement.clientWidth + 1));
  };
  const isWide = (one) => one.clientWidth > 1 && one.scrollWidth > one.clientWidth + 1;
  return [...document.querySelectorAll("body *")]
    .filter((one) => one instanceof HTMLElement && one.checkVisibility() && !one.closest("#strip"))
    .filter((one) => texts(one).some((text) => text.data.trim() && (isBeside(text) || isWide(one))))
    .map((one) => one.outerHTML.slice(0, 200));
})()
"""

# Whether what does not fit can be scrolled to, at its beginning and at its end.
UNREACHABLE = """
(() => {
  const found = [];
  for (const one of document.querySelectorAll("#front, #stage > .text")) {
    const parts = [...one.children].filter((part) => part.checkVisibility());
    if (!one.checkVisibility() || parts.length === 0) continue;
    one.scrollTop = 0;
    if (parts[0].getBoundingClientRect().top < 0) found.push(one.id + " begins above");
    one.scrollTop = one.scrollHeight;
    const { bottom } = parts.at(-1).getBoundingClientRect();
    if (bottom > innerHeight + 1) found.push(one.id + " ends below");
    one.scrollTop = 0;
  }
  return found;
})()
"""

CONTROLS = "button, a[href], input, select, textarea, summary, [tabindex='0']"

# Those that a person can use, in order; of buttons that exclude each other one is in it.
LIST_CONTROLS = f"""
window.controls = [...document.querySelectorAll({CONTROLS!r})].filter((one) =>
  one.checkVisibility() && !one.disabled && one.tabIndex >= 0
    && !(one.type === "radio" && !one.checked))
"""

# Which of them has the focus, and whether one sees it.
FOCUSED = """
(() => {
  const one = document.activeElement;
  const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(one);
  const isSeen = (outlineStyle !== "none" && parseFloat(outlineWidth) >= 2) || boxShadow !== "none";
  return { place: controls.indexOf(one), isSeen, what: one.outerHTML.slice(0, 120) };
})()
"""


def read_axe() -> str:
    """Its program. Skips where it is not there."""
    require(AXE.is_file(), f"axe-core is not installed: npm install in {PEERS.name}/")
    return Path(AXE).read_text(encoding="utf-8")


@attrs.frozen
class Accessible:
    """Checks states of pages.

    :param axe: its program.
    """

    axe: str

    async def check(self, page: Page, state: str, sizes: Sequence[str] = tuple(SIZES)) -> None:
        """All that there is to check.

        :param sizes: in which it is to be had twice as large.
        """
        await self.check_rules(page, state)
        await check_keyboard(page, state)
        await check_large(page, state, sizes)

    async def check_rules(self, page: Page, state: str) -> None:
        """By axe, in light; in dark, only the colours are others. Nothing moves by itself."""
        if not await page.run("'axe' in window"):
            await page.run(f"void (() => {{ {self.axe} }})()")
        for scheme, rules in (("light", LEVELS), ("dark", ["color-contrast"])):
            features = [
                {"name": "prefers-color-scheme", "value": scheme},
                {"name": "prefers-reduced-motion", "value": "reduce"},
            ]
            await page.command("Emulation.setEmulatedMedia", features=features)
            options = {"runOnly": rules, "resultTypes": ["violations"]}
            found = await page.run(
                f"axe.run({json.dumps(options)}).then(({{ violations }}) => violations.flatMap("
                "({ id, nodes }) => nodes.map((node) => [id, node.html, node.failureSummary])))"
            )
            assert found == [], (state, scheme)
        assert await page.run("document.getAnimations().length") == 0, state


async def check_keyboard(page: Page, state: str) -> None:
    """Tab comes to each control, in the order in which they are, and one sees where it is."""
    count = await page.run(f"({LIST_CONTROLS}).length")
    found: list[JSON] = []
    # It begins where the focus was last, and behind the last one is the page itself, once.
    for _ in range(count + 1):
        await page.press("Tab")
        found.append(await page.run(FOCUSED))
    reached = [one for one in found if one["place"] >= 0]
    first = reached[0]["place"] if reached else 0
    in_order = [*range(first, count), *range(first)]
    assert [one["place"] for one in reached] == in_order, (state, found)
    assert all(one["isSeen"] for one in reached), (state, found)


async def check_large(page: Page, state: str, sizes: Sequence[str]) -> None:
    """Twice as large, by size of text and by zoom, all is read without scrolling sideways."""
    for size in sizes:
        width, height = SIZES[size]
        await page.resize(width, height)
        await page.command("Page.setFontSizes", fontSizes={"standard": 16 * LARGE})
        await _check_fits(page, f"{state}, {size}, large text")
        await page.command("Page.setFontSizes", fontSizes={"standard": 16})
        # As zoom does: half as many pixels of the page's own.
        await page.resize(width // LARGE, height // LARGE)
        await _check_fits(page, f"{state}, {size}, zoomed")
    await resize(page, "laptop")


async def _check_fits(page: Page, state: str) -> None:
    root = "document.documentElement"
    assert not await page.run(f"{root}.scrollWidth > {root}.clientWidth"), state
    assert await page.run(CUT) == [], state
    assert await page.run(UNREACHABLE) == [], state

"""What is taken for a whole picture is one to Chromium and to Firefox, and what is not is none."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import AsyncIterator
from typing import Any

import pytest

from imgsync import ImageRef
from tests.kit.browsers import Page, Started, open_browser
from tests.kit.pictures import IDAT, IEND, IHDR, chunk, encode, make_all, make_sized, png_of
from tests.kit.web_images import open_images
from tests.kit.web_pages import open_client_page, open_session
from tests.web.test_modules import open_module_page

OPENED = "<svg xmlns='http://www.w3.org/2000/svg' width='40' height='30'>"
TITLE = "<title>\u00e4</title></svg>"

SHOWN = {
    **make_all(),
    "png with a text that is damaged": png_of(
        IHDR, chunk(b"tEXt", b"a\0b")[:-1] + b"?", IDAT, IEND
    ),
    "jpg with something between": encode("JPEG").replace(b"\xff\xdb", b"junk\xff\xdb", 1),
    "svg of another encoding": f"<?xml version='1.0' encoding='iso-8859-1'?>{OPENED}{TITLE}".encode(
        "latin-1"
    ),
    "svg that says a wrong one": f"<?xml version='1.0' encoding='utf-16'?>{OPENED}{TITLE}".encode(),
    "svg whose namespace is an entity": (
        f"<!DOCTYPE svg [<!ENTITY n 'http://www.w3.org/2000/svg'>]>"
        f"{OPENED.replace('http://www.w3.org/2000/svg', '&n;')}</svg>"
    ).encode(),
}

NOT_SHOWN = {
    "svg without a namespace": (b"<svg width='40' height='30'/>", "decode"),
    "svg with something behind": (f"{OPENED}</svg> more".encode(), "decode"),
    "svg with something before": (f" <?xml version='1.0'?>{OPENED}</svg>".encode(), "decode"),
    "svg of an unknown encoding": (
        f"<?xml version='1.0' encoding='nonsense'?>{OPENED}</svg>".encode(),
        "Undecodable",
    ),
    "svg whose text is none": (f"{OPENED}<title>".encode() + b"\xe4</title></svg>", "Undecodable"),
    "jpg with two beginnings": (b"\xff\xd8" + encode("JPEG"), "decode"),
    "png without pixels": (png_of(IHDR, IEND), "decode"),
}


@pytest.fixture
async def page(either: Started, relay: str) -> AsyncIterator[Page]:
    async with (
        open_browser(either) as browser,
        open_module_page(browser, relay, "pictures.js") as page,
    ):
        yield page


async def run_all(page: Page, pictures: dict[str, bytes], function: str = "show") -> dict[str, Any]:
    texts = {name: b64encode(data).decode() for name, data in pictures.items()}
    script = f"""(async () => {{
      const found = {{}};
      const texts = {json.dumps(texts)};
      for (const name of Object.keys(texts)) found[name] = await {function}(texts[name]);
      return JSON.stringify(found);
    }})()"""
    found: dict[str, Any] = json.loads(await page.run(script))
    return found


async def test_what_is_whole_is_decoded_and_what_is_not_is_refused_before(page: Page) -> None:
    small = {"small png": 2, "os2 bmp": 2, "png with a text that is damaged": 2}
    no_width = {"prefixed svg": 300}
    assert await run_all(page, SHOWN) == {name: 40 for name in SHOWN} | small | no_width
    found = await run_all(page, {name: data for name, (data, _) in NOT_SHOWN.items()})
    assert found == {name: reason for name, (_, reason) in NOT_SHOWN.items()}
    cut = {name: data[: len(data) * 2 // 3] for name, data in make_all().items()}
    assert set((await run_all(page, cut)).values()) == {"truncated"}
    # Browsers differ in a GIF whose screen is too small on one side, and an SVG without a size of
    # its own has that of what it stands in.
    sized = {name: data for name, data in make_sized().items() if not name.endswith("svg")}
    del sized["mixed gif"]
    measured = await run_all(page, sized, "measure")
    assert not {name: sizes for name, sizes in measured.items() if sizes[0] != sizes[1]}
    png = b64encode(encode("PNG")).decode()
    assert await page.run(f"showAfter({json.dumps(png)}, 1)") == 40
    assert await page.run(f"showAfter({json.dumps(png)}, 2)") == "Undecodable"


async def test_a_picture_is_what_it_holds_and_not_what_its_host_or_its_name_says(
    either: Started, relay: str, request: pytest.FixtureRequest
) -> None:
    paths = ["0.png", "stored/1.svg", "wide/2.svg", "made/3.png", "whole/4.png"]
    # A session waits for a page of the browser before that was closed.
    client_id = f"kinds-{abs(hash(request.node.name))}"
    async with (
        open_browser(either) as browser,
        open_images() as images,
        open_client_page(browser, relay, client_id) as client,
        open_session(relay, client_id) as session,
    ):
        session.preload([ImageRef(0, "one name", images.url(paths[0]))])
        for index, path in enumerate(paths):
            # All have one name, and are not taken for each other.
            await session.show(ImageRef(index, "one name", images.url(path)))
            await client.wait_shows(index)

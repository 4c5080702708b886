"""Saving images under names that others choose."""

import os
from pathlib import Path

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from imgsync.core.pictures.facts import Facts
from imgsync.images.fetch import Fetched, save_image
from tests.images.test_kinds import PNG
from tests.kit.image_servers import LAW, WITHIN

HOSTILE_URLS = [
    "",
    "http://h",
    "http://h/",
    "http://h/.",
    "http://h/..",
    "http://h/...",
    "http://h/.png",
    "http://h/../../etc/passwd",
    "http://h/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    "http://h/..%5c..%5cwindows%5cwin.ini",
    "http://h/%2fetc%2fpasswd",
    "http://h/C:%5Ca.png",
    "http://h/a%00b.png",
    "http://h/a%0Ab.png",
    "http://h/%1b%5b2J.png",
    "http://h/%ff%fe.png",
    "http://h/-rf",
    "http://h/con.png",
    "http://h/~root.png",
    "http://h/$(id).png",
    "http://h/a b;c'd\"e.png",
    "http://h/" + "x" * 5000 + ".png",
    "http://h/" + "%E4%B8%AD" * 500 + ".png",
    "http://h/" + "%F0%A0%80%80" * 500 + ".webp",
    "http://h/" + "\u0130" * 300,
    "http://h/\ud800.png",
    "http://[",
    "http://[::1/a.png",
    "http://u[@h/a.png",
    "http://\u2100.example/a.png",
    "/etc/passwd",
    "C:\\windows\\win.ini",
    "a" * 300,
]


def fetched_of(body: bytes, kind: str = "png") -> Fetched:
    return Fetched(body, kind, Facts("0" * 64, f"image/{kind}", len(body), None, None))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the property below; each example leaves it empty."""
    return tmp_path_factory.mktemp("outer") / "inner"


def save_alone(folder: Path, index: int, image_url: str, kind: str) -> str:
    """Save into a folder that is empty before and after; the name that came about."""
    folder.mkdir(exist_ok=True)
    path = save_image(folder, index, image_url, fetched_of(PNG, kind))
    assert path.parent == folder
    assert os.listdir(folder) == [path.name]
    assert os.listdir(folder.parent) == [folder.name]
    assert path.read_bytes() == PNG
    path.unlink()
    return path.name


def assert_safe(name: str, index: int, kind: str) -> None:
    assert name.startswith(f"{index:04d}-")
    assert name.endswith(f".{kind}")
    assert name.isprintable()
    assert not set(name) & set("/\\:*?\"<>| ;'$&%`()[]{}~!#\0")
    assert len(os.fsencode(name)) <= 255


@pytest.mark.parametrize("url", HOSTILE_URLS, ids=lambda url: ascii(url)[:40])
def test_a_hostile_name_becomes_a_safe_one(tmp_path: Path, url: str) -> None:
    assert_safe(save_alone(tmp_path / "inner", 7, url, "webp"), 7, "webp")


@LAW
@given(st.text(st.characters(codec=None)), st.integers(0, 10**6), st.sampled_from(["png", "jpg"]))
def test_any_name_becomes_a_safe_one(folder: Path, url: str, index: int, kind: str) -> None:
    assert_safe(save_alone(folder, index, url, kind), index, kind)
    assert_safe(save_alone(folder, index, f"http://h/{url}", kind), index, kind)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("http://h/images/1-cross.png", "0003-1-cross.gif"),
        ("http://h/1.2.png?v=3#x", "0003-1.2.gif"),
        ("http://h/two%20words.png", "0003-two_words.gif"),
        ("http://h/%C3%9Cbung.png", "0003-Übung.gif"),
        ("http://h/noext", "0003-noext.gif"),
        ("http://h/", "0003-image.gif"),
    ],
)
def test_a_name_says_what_it_was_and_its_suffix_what_it_is(
    tmp_path: Path, url: str, name: str
) -> None:
    assert save_alone(tmp_path / "inner", 3, url, "gif") == name


def test_saving_again_replaces(tmp_path: Path) -> None:
    for body in (PNG, PNG + b".", PNG):
        path = save_image(tmp_path, 0, "http://h/a.png", fetched_of(body))
        assert path.read_bytes() == body
    assert os.listdir(tmp_path) == ["0000-a.png"]


def test_what_can_not_be_saved_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "0000-a.png").mkdir()
    with pytest.raises(OSError, match="directory"):
        save_image(tmp_path, 0, "http://h/a.png", fetched_of(PNG))
    assert os.listdir(tmp_path) == ["0000-a.png"]


def test_a_folder_that_is_gone_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        save_image(tmp_path / "gone", 0, "http://h/a.png", fetched_of(PNG))


def test_a_link_in_the_folder_is_replaced_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "outside").write_bytes(b"precious")
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "0000-a.png").symlink_to(tmp_path / "outside")
    assert save_image(inner, 0, "http://h/a.png", fetched_of(PNG)).read_bytes() == PNG
    assert (tmp_path / "outside").read_bytes() == b"precious"


async def test_the_same_image_saved_by_many_at_once_is_always_whole(tmp_path: Path) -> None:
    # An image that is shown twice in short order is fetched and saved twice at the same time.
    bodies = [PNG + bytes([number]) * 2_000_000 for number in range(8)]

    async def save(body: bytes) -> None:
        fetched = fetched_of(body)
        path = await trio.to_thread.run_sync(save_image, tmp_path, 0, "http://h/a.png", fetched)
        assert path.read_bytes() in bodies

    with trio.fail_after(WITHIN):
        async with trio.open_nursery() as nursery:
            for body in bodies:
                nursery.start_soon(save, body)
    assert os.listdir(tmp_path) == ["0000-a.png"]


def test_a_saved_image_may_be_read_by_whom_the_umask_allows(tmp_path: Path) -> None:
    path = save_image(tmp_path, 0, "http://h/a.png", fetched_of(PNG))
    (tmp_path / "plain").write_bytes(b"")
    assert path.stat().st_mode == (tmp_path / "plain").stat().st_mode

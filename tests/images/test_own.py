"""A file that is another one by now, or gone, is never taken for the picture that was offered."""

import os
from pathlib import Path

import pytest

from imgsync.core.pictures.facts import Facts
from imgsync.images.own import OwnPicture, PictureChanged, PictureUnreadable, Stamp

BODY = bytes(range(256)) * 40


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "a.png"
    made.write_bytes(BODY)
    return made


def picture_of(file: Path) -> OwnPicture:
    return OwnPicture(Facts("0" * 64, "image/png", len(BODY), 1, 1), file, Stamp.of(file.stat()))


def test_it_is_read_from_any_place_on_and_not_beyond_its_end(file: Path) -> None:
    with picture_of(file).open() as picture:
        assert picture.read(0, 100) == BODY[:100]
        assert picture.read(10_000, 1000) == BODY[10_000:]
        assert picture.read(5, 1 << 20) == BODY[5:]
        assert picture.read(len(BODY), 10) == picture.read(len(BODY) + 5, 10) == b""


def overwrite(file: Path) -> None:
    before = file.stat()
    file.write_bytes(BODY[::-1])
    # As a copy does that keeps the time, within what the file system tells apart.
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns + 1))


def replace(file: Path) -> None:
    before = file.stat()
    other = file.with_name("other")
    other.write_bytes(BODY[::-1])
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(file)


def cut(file: Path) -> None:
    before = file.stat()
    os.truncate(file, 10)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize("change", [overwrite, replace, cut])
def test_a_file_that_changed_is_told_before_and_while_it_is_read(
    file: Path, change: object
) -> None:
    assert callable(change)
    picture = picture_of(file)
    with picture.open() as opened:
        opened.read(0, 10)
        change(file)
        with pytest.raises(PictureChanged, match=r"a\.png"):
            opened.read(10, 10)
    with pytest.raises(PictureChanged) as caught, picture.open():
        raise AssertionError
    assert caught.value.reason == "changed"


def test_a_file_that_is_gone_is_unreadable(file: Path) -> None:
    picture = picture_of(file)
    with picture.open() as opened:
        file.unlink()
        with pytest.raises(PictureUnreadable):
            opened.read(0, 10)
    with pytest.raises(PictureUnreadable, match=r"a\.png.*No such file") as caught, picture.open():
        raise AssertionError
    assert caught.value.reason == "unreadable"


def test_a_repr_holds_no_path(file: Path) -> None:
    assert str(file.parent) not in repr(picture_of(file))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_a_pipe_in_the_place_of_a_file_holds_nobody_up(file: Path) -> None:
    picture = picture_of(file)
    file.unlink()
    os.mkfifo(file)
    with pytest.raises(PictureChanged), picture.open():
        raise AssertionError

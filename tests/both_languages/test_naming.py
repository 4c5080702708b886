"""Which two images are the same, is the same for both."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from imgsync.core.protocol.naming import first_conflict, image_key, name_in_key, newest_url
from tests.both_languages.replay import Replay

ADDRESSES = [
    "https://h/a",
    "https://h/a?",
    "https://h/b",
    "https://h/a/?",
    "http://h/a",
    "",
    "?",
    "#",
]
QUERIES = [
    *("", "?expires=1&signature=a", "?expires=2&signature=b", "?signature=b&expires=2", "?s=1"),
    *("?s=2", "?X-Amz-Date=1&X-Amz-Signature=2", "?x-goog-expires", "#a", "#b?c"),
    *("?Policy=1\n2&Key-Pair-Id=3", "?img=1", "?img=2&sig=1", "?img=1&sig=2", "?images=1", "?a&a"),
    *("?sv=1&sig=2&se=3", "?sv=1", "?SIG&sr=b", "?sv=1&snapshot=2&sig"),
]  # fmt: skip

SIGNED = [None, *(address + query for address in ADDRESSES for query in QUERIES)]


def test_keys_and_conflicts_are_found_alike(replay: Replay) -> None:
    given = [(name, url) for url in SIGNED for name in ("a", "b#1")]
    images = [{"imageUrl": name, "signedUrl": url} for name, url in given]
    keys: list[object] = [image_key(name, url) for name, url in given]
    replay.compare("keys", images, keys, "keys")
    names = [name_in_key(str(key)) for key in keys]
    replay.compare("names", keys, names, "names")
    assert names == [name for name, _ in given]
    pairs = [[("a", one), ("b", "x"), ("a", other)] for one in SIGNED for other in SIGNED]
    found = [first_conflict(pair) for pair in pairs]
    sources = [[{"imageUrl": name, "signedUrl": url} for name, url in pair] for pair in pairs]
    replay.compare("conflicts", sources, [pair and list(pair) for pair in found], "conflicts")
    assert {None, (0, 2)} == set(found)


def test_the_newest_url_is_found_alike_and_none_is_that_of_what_has_none(replay: Replay) -> None:
    signed = [None, "", "https://h/a?sig=1", "https://h/a?sig=2", "https://h/b?sig=1"]
    cases: list[Any] = []
    found: list[object] = []
    for one, other, last in product(signed, signed, signed):
        images = [("a", other), ("b", last), ("a", last)]
        known = [{"imageUrl": name, "signedUrl": url} for name, url in images]
        cases.append([{"imageUrl": "a", "signedUrl": one}, known])
        found.append(newest_url("a", one, images))
        assert (one is None) == (found[-1] is None)
    replay.compare("newest", cases, found, "newest")


@pytest.mark.parametrize(
    ("one", "other", "is_one"),
    [
        ("https://h/1?expires=1&signature=a", "https://h/1?expires=2&signature=b", True),
        ("https://h/1?X-Amz-Date=1&X-Amz-Signature=a", "https://h/1?X-Amz-Signature=b", True),
        ("https://h/1?sv=1&sig=a", "https://h/1?sv=1&sig=b&se=2", True),
        ("https://h/1?s=1#a", "https://h/1?s=1#b", True),
        ("https://h/1?s=1", "https://h/2?s=1", False),
        ("https://h/view?img=1&sig=a", "https://h/view?img=2&sig=a", False),
        ("https://h/1", "https://g/1", False),
        ("https://h/1?versionId=1&X-Amz-Signature=a", "https://h/1?versionId=2", False),
        ("https://h/1?GoogleAccessId=a&Expires=1&Signature=a", "https://h/1?Expires=2", True),
        ("https://h/1?X-Goog-Date=1", "https://h/1?X-Goog-Date=2&X-Goog-Signature=b", True),
        ("https://h/1?generation=1&X-Goog-Date=1", "https://h/1?generation=2&X-Goog-Date=1", False),
        ("https://h/1?Policy=a&Signature=b&Key-Pair-Id=c", "https://h/1?Policy=d", True),
        ("https://h/1?snapshot=1&sv=1&sig=a", "https://h/1?snapshot=2&sv=1&sig=a", False),
        ("https://h/1?sv=1", "https://h/1?sv=2", False),
        ("https://h/1?page=1&signature=a", "https://h/1?page=2&signature=b", False),
    ],
)
def test_a_signature_makes_no_other_image(one: str, other: str, is_one: bool) -> None:
    assert (first_conflict([("a", one), ("b", "https://h/b"), ("a", other)]) is None) == is_one
    assert first_conflict([("a", one), ("b", other), ("a#", other)]) is None

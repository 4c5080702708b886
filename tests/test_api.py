"""What programs of others rely on is there, with the signatures that they know."""

from tests.public_api import LIST, describe


def test_no_public_name_or_signature_is_lost_or_changed() -> None:
    again = "python -m tests.public_api > tests/public_api.txt, if that is meant"
    assert describe() == LIST.read_text(encoding="utf-8"), again

"""Which language a page is in, of those that there are."""

from collections.abc import Iterable, Sequence

ENGLISH = "en"
"""Who reads none of the others gets it."""


def wanted_languages(header: str) -> list[str]:
    """The tags of an Accept-Language, the best one first (RFC 9110, section 12.5.4)."""
    weighted = [_weigh(part) for part in header.split(",")]
    wanted = [(weight, tag) for weight, tag in weighted if tag and weight > 0]
    return [tag for _, tag in sorted(wanted, key=lambda one: -one[0])]


def choose_language(wanted: Iterable[str], there: Sequence[str]) -> str:
    """The first that is wanted and there: as it is, or without its region, or of another region.

    :param wanted: tags (BCP 47), the best one first.
    """
    for tag in wanted:
        parts = tag.strip().lower().replace("_", "-").split("-")
        for count in range(len(parts), 0, -1):
            for one in there:
                if one.lower().split("-") == parts[:count]:
                    return one
        for one in there:
            if one.lower().split("-")[0] == parts[0]:
                return one
    return ENGLISH


def _weigh(part: str) -> tuple[float, str]:
    tag, _, parameter = part.partition(";")
    name, _, value = parameter.partition("=")
    if name.strip().lower() != "q":
        return 1.0, tag.strip()
    try:
        return float(value), tag.strip()
    except ValueError:
        return 0.0, ""

"""How the sessions of `soak.py` go."""

USUAL = "usual"
UNUSUAL = (
    "client leaves",
    "cancelled at offer",
    "cancelled at answer",
    "link lost",
    "relay lost",
)

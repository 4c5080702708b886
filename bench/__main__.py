"""`python -m bench`: see `suite.py`."""

import sys
from pathlib import Path

# Where the scripts find each other when they are run by hand.
sys.path.insert(0, str(Path(__file__).resolve().parent))

from suite import main

main()

"""The tests. What they and the processes that they start import is compiled once and kept.

Even where the environment says otherwise, as that of containers often does: hundreds of processes
import the same modules, and each process of a suite imports all tests.
"""

import os
import sys

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

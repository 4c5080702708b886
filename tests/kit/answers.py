"""For images that are received in no session."""

import itertools

from imgsync.client.answers import Answers

NO_ANSWERS = Answers(lambda _: None, itertools.count(1))
"""What nobody hears."""

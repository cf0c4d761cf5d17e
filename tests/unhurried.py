"""How long a property may take: as long as a busy machine needs."""

from hypothesis import settings

UNHURRIED = settings(max_examples=50, deadline=None)

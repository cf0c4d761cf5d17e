"""Patches: put something else in the place of a function or a figure, and take it back."""

from collections.abc import Iterator
from contextlib import contextmanager

# (a module, a class or a table; the name in it; what to put there)
Patch = tuple[object, object, object]


@contextmanager
def planted(patches: list[Patch]) -> Iterator[None]:
    """The patches in place, and as it was afterwards."""
    before = [(holder, name, read(holder, name)) for holder, name, _ in patches]
    for patch in patches:
        write(*patch)
    try:
        yield
    finally:
        for patch in reversed(before):
            write(*patch)


def read(holder: object, name: object) -> object:
    return holder[name] if isinstance(holder, dict) else getattr(holder, str(name))


def write(holder: object, name: object, value: object) -> None:
    if isinstance(holder, dict):
        holder[name] = value
    else:
        setattr(holder, str(name), value)

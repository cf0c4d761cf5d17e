"""Orchestrations: deterministic generators, one story each."""

from collections.abc import Generator
from typing import Any

# What is yielded are the SDK's tasks, what comes back is JSON: neither has a type of its own.
Flow = Generator[Any, Any, Any]

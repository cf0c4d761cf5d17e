"""Faults: JSON from outside is read in one way, bounded, and every fault in it is named."""

import json

from pydantic import BaseModel, ValidationError

FAULTS_MAX = 10


class Faulty(Exception):
    """JSON that is not what it should be; `faults` are sentences, each with its path."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


def read(
    body: str | bytes, shape: type[BaseModel], bytes_max: int, known: dict | None = None
) -> dict:
    """The JSON object in `body` once it has been found to have `shape`; raises Faulty.

    `known`: what it need not say.
    """
    if len(body) > bytes_max:
        raise Faulty([f"{len(body)} bytes: at most {bytes_max} are read"])
    try:
        found = json.loads(body)
        if known and isinstance(found, dict):
            found = {**known, **found}
        shape.model_validate(found)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False, include_input=False)
        raise Faulty([told(fault["loc"], fault["msg"]) for fault in faults[:FAULTS_MAX]]) from error
    except (ValueError, RecursionError) as error:
        raise Faulty([f"not JSON: {error}"]) from error
    return found


def told(path: tuple[int | str, ...], message: str) -> str:
    return f"{'.'.join(map(str, path)) or 'the whole'}: {message}"

"""The template functions that are emulated, by their lower-case names.

After "ARM template functions". What a deployment knows (parameters, variables, references, copy
loops) is bound by `template.py`; these here need nothing but where they are deployed to.
"""

import json
import re
import uuid

from rehearsal.deployments.expressions import BadExpression, Function

# Of the public cloud; a sovereign one has others.
SUFFIXES = {
    "name": "AzureCloud",
    "resourceManager": "https://management.azure.com/",
    "authentication": {"loginEndpoint": "https://login.microsoftonline.com/"},
    "suffixes": {"storage": "core.windows.net", "keyvaultDns": ".vault.azure.net"},
}
PLACEHOLDER = re.compile(r"\{(\d+)\}")
NAMESPACE = uuid.UUID("11fb06fb-712d-4ddd-98c7-e71bbd588830")


def resource_id(scope: str, told: tuple) -> str:
    """`resourceId([subscription], [group], type, name...)` under `scope`, the group's id."""
    words = [str(word) for word in told]
    at = next((n for n, word in enumerate(words) if "/" in word), None)
    if at is None:
        raise BadExpression(f"resourceId: no type among {', '.join(words)}")
    parts = scope.split("/")
    if at >= 1:
        parts[4] = words[at - 1]
    if at == 2:
        parts[2] = words[0]
    return f"{'/'.join(parts)}/providers/{typed(words[at], words[at + 1 :])}"


def typed(kind: str, names: list[str]) -> str:
    """`Namespace/type/subtype` and its names, laid alternately."""
    namespace, *types = kind.split("/")
    if len(types) != len(names):
        raise BadExpression(f"resourceId: {kind} needs {len(types)} names, got {len(names)}")
    return "/".join(
        [namespace, *(part for pair in zip(types, names, strict=True) for part in pair)]
    )


def formatted(text: str, *told: object) -> str:
    """.NET's composite formatting, without alignment and format strings."""
    return PLACEHOLDER.sub(lambda match: shown(told[int(match[1])]), text)


def shown(value: object) -> str:
    if isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else json.dumps(value)


def joined(*told: object) -> object:
    """`concat` of texts or of arrays."""
    if told and isinstance(told[0], list):
        return [item for part in told if isinstance(part, list) for item in part]
    return "".join(shown(part) for part in told)


def unioned(*told: dict | list) -> dict | list:
    """`union`: the later one's keys win; arrays keep each item once."""
    if isinstance(told[0], dict):
        return {
            key: value for part in told if isinstance(part, dict) for key, value in part.items()
        }
    kept: list = []
    for part in told:
        kept += [item for item in part if item not in kept]
    return kept


PURE: dict[str, Function] = {
    "format": formatted,
    "concat": joined,
    # Azure's own algorithm is not published: what counts is that the same words give the same id.
    "guid": lambda *told: str(uuid.uuid5(NAMESPACE, "-".join(map(str, told)))),
    "toupper": lambda text: str(text).upper(),
    "tolower": lambda text: str(text).lower(),
    "replace": lambda text, old, new: str(text).replace(old, new),
    "empty": lambda value: value is None or len(value) == 0,
    "not": lambda value: not value,
    "and": lambda *told: all(told),
    "or": lambda *told: any(told),
    "equals": lambda one, other: one == other,
    "if": lambda test, yes, no: yes if test else no,
    "length": lambda value: len(value),
    "union": unioned,
    "createarray": lambda *told: list(told),
    "createobject": lambda *told: dict(zip(told[::2], told[1::2], strict=True)),
    "string": shown,
    "int": lambda value: int(value),
    "null": lambda: None,
    "true": lambda: True,
    "false": lambda: False,
    "environment": lambda: SUFFIXES,
}

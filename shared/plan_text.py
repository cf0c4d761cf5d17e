"""Plan text: YAML or JSON into plain data, bounded in size, depth and aliases.

A plan comes from a blob that a person edits. Nothing in it may exhaust the host that must
fail over, so nesting, size and what aliases unfold to are measured before anything is built.
"""

import json
from collections.abc import Hashable

import yaml

BYTES_MAX = 2_000_000  # A plan of 5,000 workflows is about 1 MB.
DEPTH_MAX = 20
NODES_MAX = 200_000


class BadText(Exception):
    """Text that is no bounded YAML or JSON document; the message says where and why."""


class Loader(yaml.CSafeLoader):
    """The safe loader; a key given twice is an error, and a date stays text."""


def mapping(loader: yaml.CSafeLoader, node: yaml.MappingNode) -> dict:
    loader.flatten_mapping(node)
    found: dict[Hashable, object] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, str):
            raise BadText(f"{at(key_node.start_mark)}: the key {key!r} is not text")
        if key in found:
            raise BadText(f"{at(key_node.start_mark)}: the key {key} is given twice")
        found[key] = loader.construct_object(value_node, deep=True)
    return found


def plain(loader: yaml.CSafeLoader, node: yaml.ScalarNode) -> str:
    return str(node.value)


Loader.add_constructor("tag:yaml.org,2002:map", mapping)
Loader.add_constructor("tag:yaml.org,2002:timestamp", plain)


def read(text: str) -> object:
    """The document in `text` as plain data; raises BadText."""
    if len(text) > BYTES_MAX:
        raise BadText(f"{len(text)} characters: a plan has at most {BYTES_MAX}")
    try:
        data = read_json(text) if text.lstrip().startswith("{") else read_yaml(text)
    except yaml.MarkedYAMLError as error:
        raise BadText(f"{at(error.problem_mark)}: {error.problem or error.context}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise BadText(f"neither YAML nor JSON: {error}") from error
    if unfolded(data, DEPTH_MAX, NODES_MAX) < 0:
        raise BadText(f"nested deeper than {DEPTH_MAX} or more than {NODES_MAX} values")
    return data


def read_json(text: str) -> object:
    """JSON; YAML in its flow style, which also starts with a brace, where it is not."""
    try:
        return json.loads(text, object_pairs_hook=unique)
    except json.JSONDecodeError:
        return read_yaml(text)


def read_yaml(text: str) -> object:
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > DEPTH_MAX:
            raise BadText(f"{at(event.start_mark)}: nested deeper than {DEPTH_MAX}")
    # Built by a safe loader, which makes plain data only.
    loader = Loader(text)
    try:
        return loader.get_single_data()
    finally:
        loader.dispose()


def unique(pairs: list[tuple[str, object]]) -> dict:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise BadText(f"the key {twice} is given twice")
    return found


def unfolded(data: object, depth: int, left: int) -> int:
    """What is left of `left` values after walking `data` as if aliases were copies; -1: too many.

    Also ends on a document that contains itself, because the depth is bounded.
    """
    if depth < 0 or left <= 0:
        return -1
    left -= 1
    children: list[object] = []
    if isinstance(data, dict):
        children = list(data.values())
    elif isinstance(data, list):
        children = data
    for child in children:
        left = unfolded(child, depth - 1, left)
        if left < 0:
            return -1
    return left


def at(mark: yaml.Mark | None) -> str:
    return f"line {mark.line + 1}, column {mark.column + 1}" if mark else "the document"

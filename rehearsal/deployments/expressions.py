"""Expressions: the language between square brackets in an ARM template, read and evaluated.

After Microsoft's "Syntax and expressions in ARM templates". Only the functions in `functions.py`
exist; another one is refused by its name, so that a template never means less than it says.
"""

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

DEPTH_MAX = 40
TOKENS = re.compile(r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>-?\d+)|(?P<name>\w+)|(?P<mark>.))")


class BadExpression(Exception):
    """An expression that cannot be read or evaluated; says where and why."""


class Text(NamedTuple):
    """A literal: text or a number."""

    value: str | int


class Invoked(NamedTuple):
    """A function with its arguments."""

    name: str
    arguments: list


class Member(NamedTuple):
    """`of.key` or `of[key]`."""

    of: object
    key: object


Node = Text | Invoked | Member
Function = Callable[..., object]


def is_expression(value: object) -> bool:
    """Is this string an expression? `[[` escapes a text that begins with a bracket."""
    return isinstance(value, str) and value[:1] == "[" and value[:2] != "[[" and value[-1:] == "]"


def parse(text: str) -> Node:
    """The tree of an expression with its brackets; raises BadExpression."""
    reader = _Reader(text[1:-1])
    tree = reader.node(0)
    if reader.kind:
        raise BadExpression(f"{text}: something follows its end: {reader.word}")
    return tree


class _Reader:
    """Recursive descent over the tokens of one expression."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = [
            (str(match.lastgroup), str(match[str(match.lastgroup)]))
            for match in TOKENS.finditer(text.rstrip())
        ]
        self.at = 0

    @property
    def kind(self) -> str:
        return self.tokens[self.at][0] if self.at < len(self.tokens) else ""

    @property
    def word(self) -> str:
        return self.tokens[self.at][1] if self.at < len(self.tokens) else ""

    def take(self, word: str = "") -> str:
        """The next token; it must be `word` where one is given."""
        found = self.word
        if not found or (word and found != word):
            raise BadExpression(
                f"{self.text}: expected {word or 'more'}, found {found or 'its end'}"
            )
        self.at += 1
        return found

    def node(self, depth: int) -> Node:
        if depth > DEPTH_MAX:
            raise BadExpression(f"{self.text[:60]}: nested more than {DEPTH_MAX} deep")
        kind, word = self.kind, self.take()
        if kind == "text":
            return Text(word[1:-1].replace("''", "'"))
        if kind == "number":
            return Text(int(word))
        if kind != "name":
            raise BadExpression(f"{self.text}: {word} is no beginning of an expression")
        node: Node = Invoked(word, self._arguments(depth))
        while self.word in (".", "["):  # Bounded: each turn takes tokens.
            if self.take() == ".":
                node = Member(node, Text(self.take()))
            else:
                node = Member(node, self.node(depth + 1))
                self.take("]")
        return node

    def _arguments(self, depth: int) -> list[Node]:
        self.take("(")
        found: list[Node] = []
        while self.word != ")":  # Bounded: each turn takes tokens.
            found.append(self.node(depth + 1))
            if self.word != ")":
                self.take(",")
        self.take(")")
        return found


def evaluate(node: object, functions: Mapping[str, Function]) -> object:
    """The value of a tree; `functions` by their lower-case names."""
    if isinstance(node, Text):
        return node.value
    if isinstance(node, Member):
        return _member(evaluate(node.of, functions), evaluate(node.key, functions))
    assert isinstance(node, Invoked)
    name = node.name.lower()
    if name not in functions:
        raise BadExpression(f"the template function {node.name} is not emulated")
    if name == "if":  # Only the branch that is taken means anything.
        test, yes, no = node.arguments
        return evaluate(yes if evaluate(test, functions) else no, functions)
    told = [evaluate(argument, functions) for argument in node.arguments]
    try:
        return functions[name](*told)
    except (TypeError, ValueError, KeyError, IndexError) as wrong:
        raise BadExpression(f"{node.name}: {wrong}") from wrong


def _member(value: object, key: object) -> object:
    """A property in any letter case, or an item of a list."""
    if isinstance(value, list) and isinstance(key, int) and -1 < key < len(value):
        return value[key]
    if isinstance(value, dict):
        for name, found in value.items():
            if name.lower() == str(key).lower():
                return found
    raise BadExpression(f"there is no {key} in {str(value)[:80]}")


def resolved(value: object, functions: Mapping[str, Function]) -> object:
    """A copy of template JSON with every expression in it evaluated, in keys too."""
    if isinstance(value, dict):
        return {
            str(resolved(key, functions)): resolved(item, functions) for key, item in value.items()
        }
    if isinstance(value, list):
        return [resolved(item, functions) for item in value]
    if is_expression(value):
        return evaluate(parse(str(value)), functions)
    return value[1:] if isinstance(value, str) and value.startswith("[[") else value


def referenced(value: object, functions: Mapping[str, Function]) -> list[object]:
    """What every `reference()` in template JSON names, without looking at what it gives."""
    if isinstance(value, dict):
        return [found for item in value.values() for found in referenced(item, functions)]
    if isinstance(value, list):
        return [found for item in value for found in referenced(item, functions)]
    return _targets(parse(str(value)), functions) if is_expression(value) else []


def _targets(node: object, functions: Mapping[str, Function]) -> list[object]:
    if isinstance(node, Member):
        return _targets(node.of, functions) + _targets(node.key, functions)
    if not isinstance(node, Invoked):
        return []
    if node.name.lower() == "reference":
        return [evaluate(node.arguments[0], functions)]
    return [found for argument in node.arguments for found in _targets(argument, functions)]

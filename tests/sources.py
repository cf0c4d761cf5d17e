"""Sources: the project's own modules, parsed, for the tests that hold them to the rules."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PRODUCT = ("function_app", "orchestrations", "activities", "shared")
PACKAGES = (*PRODUCT, "rehearsal", "bench", "tests")


@dataclass(frozen=True)
class Source:
    """One module: its dotted name, its text and its syntax tree."""

    name: str
    path: Path
    text: str
    tree: ast.Module

    @property
    def layer(self) -> str:
        return self.name.partition(".")[0]

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """Everything in the tree."""
        return tuple(ast.walk(self.tree))

    def imports(self) -> Iterator[tuple[str, ast.stmt]]:
        """Every module or name that is imported anywhere in here, as a dotted name."""
        for node in self.nodes:
            if isinstance(node, ast.Import):
                yield from ((alias.name, node) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield from ((f"{node.module}.{alias.name}", node) for alias in node.names)

    def at(self, node: ast.AST) -> str:
        """Where a node stands, for a message."""
        return f"{self.path.relative_to(ROOT)}:{getattr(node, 'lineno', 1)}"


@cache
def sources() -> tuple[Source, ...]:
    """Every Python module of the project."""
    paths = [ROOT / "function_app.py"]
    for package in PACKAGES[1:]:
        paths += sorted((ROOT / package).rglob("*.py"))
    return tuple(parsed(path) for path in paths)


def parsed(path: Path) -> Source:
    parts = path.relative_to(ROOT).with_suffix("").parts
    name = ".".join(part for part in parts if part != "__init__")
    text = path.read_text(encoding="utf-8")
    return Source(name, path, text, ast.parse(text))


def of_layer(*layers: str) -> list[Source]:
    return [source for source in sources() if source.layer in layers]


def outside_functions(tree: ast.Module) -> Iterator[ast.AST]:
    """Every node that runs when the module is imported; what only a type checker reads does not."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        for child in ast.iter_child_nodes(node):
            function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            if not function and not for_checkers(child):
                waiting.append(child)


def for_checkers(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and last_name(node.test) == "TYPE_CHECKING"


def calls(source: Source) -> Iterator[tuple[str, ast.Call]]:
    """Every call with the last part of the name that is called."""
    for node in source.nodes:
        if isinstance(node, ast.Call):
            yield last_name(node.func), node


def last_name(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""

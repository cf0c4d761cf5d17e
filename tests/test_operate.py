"""docs/operate.md and the alert rules know every alert that the orchestrations send."""

import ast
import json
import re

import pytest

from tests.app_index import ROOT

PAGE = (ROOT / "docs" / "operate.md").read_text(encoding="utf-8")
ROWS = [line.split("|")[1] for line in PAGE.splitlines() if line.startswith("| `")]
KNOWN = [title for row in ROWS for title in re.findall(r"`([^`]+)`", row)]
TELLERS = ("tell", "page")
# Where the title is put together elsewhere: verdicts, readiness, what people are asked.
STATES = ["healthy", "degraded", "suspect", "lost", "isolated", "inconclusive", "controlPlaneOnly"]
OTHERS = [f"L is {state}" for state in STATES]
COMPOSED = {"* is *", "*: *", "run *"}
OTHERS += ["run cancelled", "run declined", "run expired"]
OTHERS += [
    "L is less ready than before: x",
    "L is not ready to take over",
    "L is ready again",
    "approval wanted",
    "run paused",
]


def shape(node: ast.expr) -> str | None:
    """A title with what varies as `*`; None where it is no literal."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(p.value) if isinstance(p, ast.Constant) else "*" for p in node.values)
    return None


def named(node: ast.AST) -> list[ast.expr]:
    """What a piece of code gives as a title."""
    if isinstance(node, ast.Call) and getattr(node.func, "id", "") in TELLERS:
        return node.args[2:3]
    if isinstance(node, ast.Dict):
        pairs = zip(node.keys, node.values, strict=True)
        return [v for k, v in pairs if isinstance(k, ast.Constant) and k.value == "title"]
    if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "title":
        value = node.value
        return [value.body, value.orelse] if isinstance(value, ast.IfExp) else [value]
    return []


def titles() -> set[str]:
    """Every title in the orchestrations, but those that are all put together elsewhere."""
    found: set[str] = set()
    for file in (ROOT / "orchestrations").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            found |= {s for one in named(node) if (s := shape(one))}
    return found - COMPOSED


def fits(title: str, known: str) -> bool:
    """Is `known` of the page this title? Its capitals and `...` stand for what varies."""
    pattern = re.escape(known).replace(re.escape("..."), ".*")
    pattern = re.sub(r"\b(L|N|RUN|STAGE|names)\b", r"[^:]+", pattern)
    return re.fullmatch(pattern, title.replace("*", "x")) is not None


def test_the_page_has_titles_to_hold_the_code_to():
    assert len(KNOWN) > 20 and len(titles()) > 8


@pytest.mark.parametrize("title", sorted(titles()) + OTHERS)
def test_every_alert_is_explained(title: str):
    assert any(fits(title, known) for known in KNOWN), title


def rules() -> list[dict]:
    raw = json.loads((ROOT / "infra" / "main.json").read_text(encoding="utf-8"))
    return [r for r in raw["resources"] if r["type"].endswith("/scheduledQueryRules")]


def test_every_rule_is_explained():
    names = {re.findall(r"[a-z-]+(?=-\{0\})", rule["name"])[0] for rule in rules()}
    assert names and [name for name in sorted(names) if f"`{name}`" not in PAGE] == []


def test_every_rule_looks_for_a_title_that_is_sent():
    queries = [rule["properties"]["criteria"]["allOf"][0]["query"] for rule in rules()]
    sent = " | ".join([*titles(), *OTHERS])
    wanted = [
        word for q in queries for word in re.findall(r"''([a-zA-Z ]{5,})''", q) if "title" in q
    ]
    assert wanted and [word for word in wanted if word not in sent] == []

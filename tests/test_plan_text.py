"""A plan's text and the command that checks it: what is read, and what is refused with its line."""

import json
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.plan import BadPlan, load, main
from tests.test_plan import CONTOSO, PLANS, check_refused, document


def test_bad_yaml_is_refused_with_its_line():
    check_refused("name: contoso\nhome: [\n", "line 3, column 1")


def test_a_key_given_twice_is_refused_with_its_line():
    check_refused("name: contoso\nname: again\n", "line 2, column 1: the key name is given twice")


def test_a_json_key_given_twice_is_refused():
    check_refused('{"name": "a", "name": "b"}', "the key name is given twice")


def test_a_list_is_no_plan():
    check_refused("- 1\n", "the document is no mapping")


def test_an_empty_text_is_no_plan():
    check_refused("", "the document is no mapping")


def test_deep_nesting_is_refused():
    check_refused("[" * 500, "nested deeper than 20")


def test_deep_json_is_refused():
    check_refused('{"a":' + "[" * 100_000, "")


def test_an_alias_bomb_is_refused():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    check_refused("\n".join(lines), "more than 200000 values")


def test_a_document_that_contains_itself_is_refused():
    check_refused("a: &a [*a]", "recursive")


def test_a_huge_text_is_refused():
    check_refused("#" * 2_000_001, "a plan has at most 2000000")


def test_a_yaml_tag_that_makes_objects_is_refused():
    check_refused("name: !!python/object/apply:os.getcwd []", "could not determine a constructor")


@settings(max_examples=60, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
        max_leaves=8,
    ),
    st.sampled_from(sorted(yaml.safe_load(CONTOSO))),
)
def test_any_value_in_any_place_is_refused_or_read_but_never_a_surprise(value: object, key: str):
    try:
        plan = load(json.dumps({**document(), key: value}))
    except BadPlan as bad:
        assert bad.problems
    else:
        assert plan.name


def test_the_command_prints_every_problem(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = tmp_path / "bad.yaml"
    path.write_text("name: X\n", encoding="utf-8")
    assert main([str(path)]) == 1
    assert "home: Field required" in capsys.readouterr().out


def test_the_command_says_when_there_is_no_file(tmp_path: Path):
    assert main([str(tmp_path / "none.yaml")]) == 2


def test_the_command_accepts_the_sample():
    assert main([str(PLANS / "contoso.yaml")]) == 0

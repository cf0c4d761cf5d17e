"""What a long call to ARM becomes, and what a task says of its run."""

from pathlib import Path

import pytest

from orchestrations.waves import order
from shared import arm_calls, clients
from shared.plan import load
from shared.reply import Reply, Surprise

PLAN = Path(__file__).resolve().parents[1] / "plans" / "everything.yaml"


def test_a_call_that_was_accepted_says_where_to_ask_and_what_was_so():
    reply = Reply(202, {"location": "https://arm/op", "retry-after": "7"})
    outcome = arm_calls.begun(reply, "account x", "was elsewhere")
    assert (outcome["operation"], outcome["retryAfterSeconds"]) == ("https://arm/op", 7.0)
    assert outcome["because"] == "was elsewhere"


def test_a_service_is_not_left_alone_for_long():
    assert arm_calls.retry_after(Reply(202, {"retry-after": "3600"})) == 60.0


def test_a_call_names_its_version_and_no_body_that_it_lacks():
    asked = arm_calls.call("POST", "/subscriptions/s", "2025-01-01", None, failoverType="Planned")
    url = "/subscriptions/s?api-version=2025-01-01&failoverType=Planned"
    assert asked == {"method": "POST", "url": url}


def test_the_task_of_an_account_says_which_location_is_left():
    plan = load(PLAN.read_text(encoding="utf-8"))
    name = next(part.name for part in plan.components if part.kind == "cosmosDb")
    told = {"plan": plan.name, "run": "run-1", "stage": "promote", "epoch": 1, "mode": "forced"}
    task = order(plan, told, "promote", "northeurope", name, 1)["task"]
    assert task["away"] == "westeurope"


@pytest.mark.parametrize("paper, mode", [({"mode": "forced"}, "forced"), ({}, "graceful")])
def test_a_task_says_its_runs_mode_and_a_keepers_loses_nothing(paper: dict, mode: str):
    plan = load(PLAN.read_text(encoding="utf-8"))
    told = {"plan": plan.name, "run": "run-1", "stage": "promote", "epoch": 1, **paper}
    task = order(plan, told, "promote", "northeurope", "core-bus", 1)["task"]
    assert task["mode"] == mode
    assert task["component"]["other"]["resource"].endswith("sb-contoso-core-we")


def paged(monkeypatch: pytest.MonkeyPatch, *statuses: int) -> list[str]:
    """ARM answers these one after the other, each page with a link to another; who was asked."""
    asked: list[str] = []
    left = list(statuses)

    def ask(method: str, url: str, **bounds: object) -> Reply:
        asked.append(url)
        status = left.pop(0) if len(left) > 1 else left[0]
        return Reply(status, {}, {"value": [], "nextLink": f"https://arm/{len(asked)}"})

    monkeypatch.setattr(clients, "ask", ask)
    return asked


def test_a_list_without_an_end_is_said_and_is_no_whole_list(monkeypatch: pytest.MonkeyPatch):
    asked = paged(monkeypatch, 200)
    with pytest.raises(Surprise, match=f"more than {arm_calls.PAGES_MAX} pages at /all"):
        list(arm_calls.pages("/all"))
    assert len(asked) == arm_calls.PAGES_MAX


def test_a_page_that_is_no_yes_is_the_last(monkeypatch: pytest.MonkeyPatch):
    asked = paged(monkeypatch, 200, 403)
    assert [reply.status for reply in arm_calls.pages("/all")] == [200, 403]
    assert asked == ["/all", "https://arm/1"]

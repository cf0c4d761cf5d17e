"""Counting from outside: effects by key, slips by the brokers' files, ARM writes by the journal."""

import sqlite3
from collections import Counter
from typing import TYPE_CHECKING

from rehearsal.drill_story import Scenario
from rehearsal.estate_seed import SLIP_QUEUES, workflow_id
from shared import undelivered
from shared.slip import ROUTES

if TYPE_CHECKING:
    from rehearsal.drill import Drill

WRITES = ("PUT", "POST", "PATCH", "DELETE")
READING_POSTS = ("/listsecrets", "/listvalue", "/listcallbackurl", "/validate", "/whatif")
READING_POSTS += ("/listworkflowsconnections", "/config/appsettings/list")
BEFORE = "microsoft.resources/deployments/"  # By a person, before the story begins.
POISON = "slip-poison"


def writes(drill: "Drill") -> list[dict]:
    """Every ARM exchange that changed something and was granted, in order."""
    return [
        row
        for row in drill.stage.world.journal.after(0)
        if row["method"] in WRITES
        and 200 <= row["status"] < 300
        and not any(word in row["url"].lower() for word in (*READING_POSTS, BEFORE))
    ]


def changes(drill: "Drill") -> list[dict]:
    """The standby app's granted changes of workflows and endpoints, from ARM's own journal."""
    app = drill.stage.estate.locations[drill.standby].app
    words = ("/enable", "/disable", "endpoints/")
    mine = [row for row in writes(drill) if row["principal"] == app]
    return [row for row in mine if any(word in row["url"].lower() for word in words)]


def judge(drill: "Drill", scenario: Scenario) -> None:
    """The invariants that hold in every scenario, and those of a failover where there is one."""
    _judge_effects(drill)
    epochs = drill.watcher.epochs
    grows = all(b - a == 1 for a, b in zip(epochs, epochs[1:], strict=False))
    steps = len(epochs) - 1 == scenario.epochs
    drill.check("epochGrowsByOne", grows and steps, f"epochs {', '.join(map(str, epochs))}")
    if not scenario.moves:
        return
    seen = drill.stage.clients()
    drill.check("standbyServes", seen["answering"] == drill.standby, f"by {seen['answering']}")
    _judge_workflows(drill)
    apps = {place.app for place in drill.stage.estate.locations.values()}
    strange = [row["url"] for row in writes(drill) if row["principal"] not in apps]
    counted = Counter((row["method"], row["url"].split("?")[0].lower()) for row in changes(drill))
    again = [f"{method} {url}" for (method, url), times in counted.items() if times > 1]
    killed = scenario.name == "host-killed-midway"  # What was killed between two lines is repeated.
    words = f"{sum(counted.values())} changes, {len(again)} of them sent again"
    drill.check("noChangeSentTwice", killed or not again, words)
    drill.check("onlyTheAppActed", not strange, f"{len(strange)} writes by others")


def _judge_effects(drill: "Drill") -> None:
    """No effect twice: a key is one message, one tick of a clock, one mail, one event."""
    effects = drill.stage.world.effects
    counts = Counter((row["workflow"], row["key"]) for row in effects if row["kind"] != "request")
    doubles = [f"{workflow} {key}" for (workflow, key), times in counts.items() if times > 1]
    words = f"{sum(counts.values())} effects, each once" if not doubles else ", ".join(doubles[:5])
    drill.check("noEffectTwice", not doubles, words)


def _judge_workflows(drill: "Drill") -> None:
    """Every workflow of the plan is enabled in the standby."""
    estate, table = drill.stage.estate, drill.stage.world.resources
    names = [c["name"] for c in drill.plan["components"] if c["kind"] == "logicWorkflow"]
    found = {name: table.get(workflow_id(estate, drill.standby, name)) for name in names}
    off = [n for n, row in found.items() if row is None or row.properties["state"] != "Enabled"]
    words = f"{len(names)} of {len(names)} enabled" if not off else f"not enabled: {off[:10]}"
    drill.check("everythingActivated", not off, words)


def slips(drill: "Drill", scenario: Scenario) -> dict[str, int]:
    """The Contract's counts, from what the brokers of the slips wrote down."""
    seen: list[tuple[str, str]] = []
    left = taken = dead = 0
    for place in drill.stage.estate.locations.values():
        rows, held, numbers, buried = _broker(drill, place.slips)
        seen += rows
        left, taken, dead = left + held, taken + numbers, dead + buried
    poisoned = sum(queue == POISON for queue, _ in seen) + dead
    carried = [one["id"] for one in _books(drill) if one["how"] == "started"]
    sent = [id for queue, id in seen if queue != POISON]
    return {
        "sent": len(sent),
        "completed": len(sent) - left - dead,
        "duplicates": max(0, taken - len(seen)),
        "poisoned": poisoned,
        "lost": _missing(drill, scenario, [*sent, *carried]) + left + dead,
    }


def slips_waiting(drill: "Drill") -> int:
    """How many slips lie in the standby's namespace, locked or not."""
    _, held, *_ = _broker(drill, drill.stage.estate.locations[drill.standby].slips)
    return held


def slip_taken(drill: "Drill", stage: str) -> bool:
    """Has the standby's broker taken in a slip for this stage of a run?"""
    rows, *_ = _broker(drill, drill.stage.estate.locations[drill.standby].slips)
    return any(queue == f"slip-{stage}" for queue, _ in rows)


def _broker(drill: "Drill", namespace: str) -> tuple[list[tuple[str, str]], int, int, int]:
    """(queue, message id) of every slip taken in; how many still wait; taken in; dead."""
    path = drill.stage.folder / f"{namespace}.db"
    file = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    try:
        seen = file.execute("select queue, id from history").fetchall()
        waiting = file.execute("select queue, count(*) from messages group by queue").fetchall()
        numbers = file.execute("select name, next_seq - 1 from queues").fetchall()
    finally:
        file.close()
    held = sum(count for queue, count in waiting if queue in SLIP_QUEUES and queue != POISON)
    dead = sum(count for queue, count in waiting if queue not in SLIP_QUEUES)
    taken = sum(count for name, count in numbers if name in SLIP_QUEUES)
    return [row for row in seen if row[0] in SLIP_QUEUES], held, taken, dead


def outbox(drill: "Drill", location: str) -> dict:
    """What a location's app has in its outbox for itself, and what went from there."""
    account, name = drill.stage.estate.locations[location].storage, f"outbox/{location}.json"
    if name not in drill.stage.storage.names(account, "understudy", "outbox/"):
        return undelivered.EMPTY
    return undelivered.read(drill.stage.storage.read(account, "understudy", name))


def _books(drill: "Drill") -> list[dict]:
    """What has gone from the outboxes of all locations for themselves."""
    return [one for place in drill.stage.estate.locations for one in outbox(drill, place)["gone"]]


def _missing(drill: "Drill", scenario: Scenario, sent: list[str]) -> int:
    """Stages of the runs that finished for which no slip was taken in, nor carried otherwise."""
    rows = [row["record"] for row in drill.watcher.records]
    modes = {row["run"]["id"]: row["run"]["mode"] for row in rows if row.get("run")}
    said = rows[-1]["transitions"] if rows else []
    done = {line["who"] for line in said if line["what"] == "finished"}
    ran = [run for run in modes if run in done or scenario.moves]
    return sum(f"{run}.{stage}" not in sent for run in ran for stage in ROUTES[modes[run]])

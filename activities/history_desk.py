"""History's desk: run and trigger history of both locations, as the HTTP API shows it.

As the desk, no activity. A location that is silent is a warning: the other one is shown all the
same, and within the time that any page has. After Microsoft.Logic 2019-05-01.
"""

import math
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import partial
from threading import Event, Lock
from urllib.parse import quote

from activities import desk, ledger
from shared import clients, history
from shared.history import Listed
from shared.plan import Plan
from shared.reply import Surprise, Unreachable

THREADS = 8  # In each location.
TRIGGERS_MAX = 10  # As many as a workflow can have.
_PURSE = history.Purse()
_PAYING = Lock()


class Gone(Exception):
    """The workflow is not deployed in that location."""


@desk.answered
def one_history(name: str, top: str | None, component: str | None) -> tuple:
    """The newest rows of both locations in one list; `warnings` say what it does not show."""
    plan = Plan.model_validate(desk.known_plan(name)["plan"])
    most, asked = wanted(plan, top, component)
    names, warnings = history.chosen(asked)
    pay(len(names) * history.REQUESTS_EACH)
    with ThreadPoolExecutor(len(plan.locations)) as pool:
        looks = [pool.submit(look, plan, place, names, most) for place in plan.locations]
        answers = [one.result() for one in looks]
    lists = [one for seen, _ in answers for one in seen]
    rows, short = history.merged(lists, most)
    told = [*warnings, *(word for _, said in answers for word in said), *short]
    return 200, {"plan": name, "component": component, "rows": rows, "warnings": told}


def pay(reads: int) -> None:
    """A 429 where so many reads more would be more than history's share of ARM's bucket."""
    with _PAYING:
        seconds = math.ceil(_PURSE.pay(reads, time.monotonic()))
    if seconds:
        detail = f"the resource manager is asked too often: ask again in {seconds} s"
        raise desk.refuse(429, "Too often", detail)


def forget() -> None:
    """Nothing has been read yet."""
    with _PAYING:
        _PURSE.left = history.READS_MAX


def wanted(plan: Plan, top: str | None, component: str | None) -> tuple[int, list[str]]:
    """How many rows of which workflows; a 400 that names each error where that cannot be."""
    workflows, errors = ledger.workflows(plan), []
    number = top if top is not None else str(history.TOP_DEFAULT)
    # A number of more digits than the bound has is none that is worth reading.
    fits = number.isascii() and number.isdecimal() and len(number) <= len(str(history.TOP_MAX))
    if not fits or not 1 <= int(number) <= history.TOP_MAX:
        errors.append(f"top: a whole number from 1 to {history.TOP_MAX}")
    if component is not None and component not in workflows:
        errors.append(f"component: one of the plan's workflows: {history.some(workflows)}")
    if errors:
        raise desk.refuse(400, "Bad request", "; ".join(errors), errors=errors)
    return int(number), workflows if component is None else [component]


def look(plan: Plan, location: str, names: list[str], most: int) -> tuple[list[Listed], list[str]]:
    """What these workflows did in one location, and in words what could not be had of it.

    Never longer than a page has. Where nobody answers, or ARM asks for a pause, nothing more is
    asked: a region that is dying does not answer the next question either.
    """
    seen: list[Listed] = []
    absent: list[str] = []
    why: list[str] = []
    pool = ThreadPoolExecutor(THREADS, thread_name_prefix="history")
    over = Event()

    def one_of(name: str) -> list[Listed]:
        try:
            return [] if over.is_set() else lists_of(plan, location, name, most)
        except Unreachable:
            over.set()
            raise

    asked = {pool.submit(one_of, name): name for name in names}
    try:
        for done in as_completed(asked, desk.VIEW_SECONDS):
            try:
                seen += done.result()
            except Gone:
                absent.append(asked[done])
            except Surprise as silent:
                why.append(str(silent))
    except TimeoutError:
        why.append(f"no answer within {desk.VIEW_SECONDS:g} s")
    finally:
        pool.shutdown(wait=False, cancel_futures=True)  # What hangs is left to its own timeouts.
    known = {*absent, *(one.component for one in seen)}
    missing = [name for name in names if name not in known]
    warnings = [f"{location}: not deployed there: {history.some(absent)}"] if absent else []
    if missing:
        said = f"{location}: {len(missing)} of {len(names)} workflows are not shown"
        warnings.append(f"{said}: {history.plain(why[0])}")
    return seen, warnings


def lists_of(plan: Plan, location: str, name: str, most: int) -> list[Listed]:
    """The newest runs of one workflow, and the newest histories of each of its triggers."""
    resource = plan.component(name, location)["resource"]
    part = partial(listed, location, name, most)
    triggers = page(f"{resource}/triggers").get("value", [])[:TRIGGERS_MAX]
    paths = [quote(str(one["name"]), safe="") for one in triggers]
    return [
        part("run", f"{resource}/runs"),
        *(part("trigger", f"{resource}/triggers/{path}/histories") for path in paths),
    ]


def listed(location: str, name: str, most: int, kind: str, path: str) -> Listed:
    """One page of rows, newest first."""
    body = page(path, {"$top": str(min(most, history.PAGE_MAX))})
    rows = [history.row(kind, location, name, item) for item in body.get("value", [])]
    return Listed(location, name, rows, bool(body.get("nextLink")))


def page(path: str, query: dict[str, str] | None = None) -> dict:
    """One page of ARM's, within seconds.

    Raises Gone where there is no such workflow, Unreachable where it is useless to ask on, and a
    Surprise where this answer alone was a no.
    """
    reply = clients.ask("GET", path, query=query, bounds=clients.HURRIED)
    if reply.status == 404:
        raise Gone(path)
    if reply.status == 429 or reply.status >= 500:
        raise Unreachable(reply.words)
    return reply.expect().document

"""History's desk: run and trigger history of both locations, as the HTTP API shows it.

As the desk, no activity. A location that is silent is a warning: the other one is shown all the
same, and within the time that any page has. After Microsoft.Logic 2019-05-01.
"""

import math
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import partial
from threading import Event, Lock
from urllib.parse import quote, urlencode

from activities import desk, ledger
from shared import clients, flow_runs, history, history_csv, history_question
from shared.history import Listed
from shared.history_question import CSV, Question
from shared.plan import Plan
from shared.reply import Surprise, Unreachable

THREADS = 8  # In each location.
TRIGGERS_MAX = 10  # As many as a workflow can have.
FURTHER_MAX = 5  # Pages of one list: five hundred rows that began in one second.
QUERY = ("top", "component", "set", "status", "from", "to", "after", "format", "Accept")
_PURSE = history.Purse()
_PAYING = Lock()


class Gone(Exception):
    """The workflow is not deployed in that location."""


class Paused(Unreachable):
    """ARM asks for a pause: whatever else it is asked is too much as well."""


class Doubts:
    """Whom one look does not ask any more: hosts of Standard sites, or the whole region."""

    def __init__(self) -> None:
        self.over = Event()
        self.silent: set[str] = set()

    def asks(self, part: dict) -> bool:
        """Is it of use to ask for this workflow?"""
        return not self.over.is_set() and part["resource"] not in self.silent

    def note(self, part: dict, error: Unreachable) -> None:
        """A few hosts may be slow or broken by themselves; every other silence is the region's."""
        self.silent.add(part["resource"])
        alone = part["kind"] == flow_runs.STANDARD and len(self.silent) < flow_runs.HOSTS_MAX
        if not alone or isinstance(error, Paused):
            self.over.set()


@desk.answered
def one_history(name: str, *told: str | None) -> tuple:
    """A page of both locations' rows in one list; `warnings` say what it does not show.

    `told`: what QUERY names, in its order. `next` of a page is the `after` of the one behind it.
    """
    plan = Plan.model_validate(desk.known_plan(name)["plan"])
    given = {key: text for key, text in zip(QUERY, told, strict=False) if text is not None}
    asked = wanted(plan, given)
    every = list(asked.components) or ledger.workflows(plan)
    names, left, further = history.chosen(every, asked.set)
    pay(len(names) * history.REQUESTS_EACH)
    with ThreadPoolExecutor(len(plan.locations)) as pool:
        looks = [pool.submit(look, plan, place, names, asked) for place in plan.locations]
        answers = [one.result() for one in looks]
    lists = [one for seen, _ in answers for one in seen]
    rows, place, short = history.merged(lists, asked.top, asked.after)
    query = {key: given[key] for key in QUERY[:-1] if key in given}
    elsewhere = unseen(left, len(every), {**query, "set": str(further)})
    said = [*elsewhere, *(word for _, words in answers for word in words), *short]
    following = history_question.onward(name, asked, place) if place else None
    # CSV has no place for what comes next: the header says it of both.
    onward = urlencode({**query, "after": following}, safe=",")
    link = {"Link": f'<?{onward}>; rel="next"'} if following else {}
    if asked.csv:
        file = {"Content-Disposition": f'attachment; filename="{name}-history.csv"'}
        return 200, history_csv.table(rows, said), {"Content-Type": CSV, **file, **link}
    component = ",".join(asked.components) or None
    parts = {"set": asked.set, "sets": history.sets(every)}
    shown = {"plan": name, "component": component, **parts, "status": asked.status}
    return 200, {**shown, "rows": rows, "warnings": said, "next": following}, link


def unseen(left: list[str], count: int, query: dict[str, str]) -> list[str]:
    """Which of `count` workflows the answer leaves out, and the link to the next set of them."""
    if not left:
        return []
    query.pop("after", None)  # That is a place in this set.
    link = f"history?{urlencode(query, safe=',')}"
    return [f"{len(left)} of {count} workflows are left out: {history.some(left)}: see {link}"]


def pay(reads: int) -> None:
    """A 429 where so many reads more would be more than history's share of ARM's bucket."""
    seconds = math.ceil(lacking(reads))
    if seconds:
        detail = f"the resource manager is asked too often: ask again in {seconds} s"
        raise desk.refuse(429, "Too often", detail)


def lacking(reads: int) -> float:
    """Pay for so many reads, or say in how many seconds they could be paid."""
    with _PAYING:
        return _PURSE.pay(reads, time.monotonic())


def owe() -> None:
    """Take one read that was not paid for in advance; a 429 where history owes too many."""
    with _PAYING:
        if _PURSE.owe(time.monotonic()):
            return
    pay(history.READS_MAX)  # The page is asked for anew, best with all that there can be.


def forget() -> None:
    """Nothing has been read yet."""
    with _PAYING:
        _PURSE.left = history.READS_MAX


def wanted(plan: Plan, given: dict[str, str]) -> Question:
    """What is asked for; a 400 that names each error where that cannot be."""
    asked, errors = history_question.question(plan.name, ledger.workflows(plan), given)
    if errors:
        raise desk.refuse(400, "Bad request", "; ".join(errors), errors=errors)
    return asked


def look(
    plan: Plan, location: str, names: list[str], asked: Question
) -> tuple[list[Listed], list[str]]:
    """What these workflows did in one location, and in words what could not be had of it.

    Never longer than a page has. Where nobody answers, or ARM asks for a pause, nothing more is
    asked: a region that is dying does not answer the next question either. The host of a Standard
    site that is silent hides its own workflows alone.
    """
    seen: list[Listed] = []
    absent: list[str] = []
    unread: list[str] = []
    why: list[str] = []
    pool = ThreadPoolExecutor(THREADS, thread_name_prefix="history")
    doubts = Doubts()

    def one_of(name: str) -> list[Listed]:
        part = plan.component(name, location)
        try:
            return lists_of(part, location, asked, unread) if doubts.asks(part) else []
        except Unreachable as error:
            doubts.note(part, error)
            raise

    going = {pool.submit(one_of, name): name for name in names}
    try:
        for done in as_completed(going, desk.VIEW_SECONDS):
            try:
                seen += done.result()
            except Gone:
                absent.append(going[done])
            except Surprise as silent:
                why.append(str(silent))
    except TimeoutError:
        why.append(f"no answer within {desk.VIEW_SECONDS:g} s")
    finally:
        pool.shutdown(wait=False, cancel_futures=True)  # What hangs is left to its own timeouts.
    known = {*absent, *(one.component for one in seen)}
    missing = [name for name in names if name not in known]
    warnings = [f"{location}: not deployed there: {history.some(absent)}"] if absent else []
    if unread:
        shown = history.some(sorted(unread))
        warnings.append(f"{location}: triggers that are not shown: {shown}: ask for a component")
    if missing:
        said = f"{location}: {len(missing)} of {len(names)} workflows are not shown"
        warnings.append(f"{said}: {history.plain(why[0])}")
    return seen, warnings


def lists_of(part: dict, location: str, asked: Question, unread: list[str]) -> list[Listed]:
    """Runs of one workflow, and histories of each of its triggers, as far as they are asked for.

    One trigger is paid for in advance; those that cannot be paid for besides go to `unread`.
    """
    resource, name = flow_runs.root(part), part["name"]
    one = partial(listed, location, name, asked)
    named = [str(trigger["name"]) for trigger in page(f"{resource}/triggers").get("value", [])]
    further = len(named[1:TRIGGERS_MAX])
    shown = 1 if further and lacking(further) else TRIGGERS_MAX
    unread += [f"{name}/{trigger}" for trigger in named[shown:]]
    paths = [quote(trigger, safe="") for trigger in named[:shown]]
    return [
        one("run", f"{resource}/runs"),
        *(one("trigger", f"{resource}/triggers/{path}/histories") for path in paths),
    ]


def listed(location: str, name: str, asked: Question, kind: str, path: str) -> Listed:
    """One page of rows, newest first; more where all of that were on an earlier page.

    A 429 where those can not be paid for: rows that are left out here come on no later page.
    """
    found = Listed(location, name)
    # ARM filters by the second: the row that an earlier page ended with comes once more.
    most = asked.top + (asked.after is not None)
    query = {"$top": str(min(most, history.PAGE_MAX))}
    query |= {"$filter": asked.filter} if asked.filter else {}
    body = page(path, query)
    for _ in range(FURTHER_MAX):
        rows = [history.row(kind, location, name, item) for item in body.get("value", [])]
        found.rows += [row for row in rows if asked.fits(row) and not asked.passed(row)]
        found.floor = min(map(history.order, rows), default=found.floor)
        found.more = bool(body.get("nextLink"))
        if not found.more or not rows or not all(map(asked.passed, rows)):
            return found
        owe()
        body = page(body["nextLink"])
    found.crowded = True
    return found


def page(path: str, query: dict[str, str] | None = None) -> dict:
    """One page of ARM's, within seconds.

    Raises Gone where there is no such workflow, Unreachable or Paused where it is useless to ask
    on, and a Surprise where this answer alone was a no.
    """
    reply = clients.ask("GET", path, query=query, bounds=clients.HURRIED)
    if reply.status == 404:
        raise Gone(path)
    if reply.status == 429:
        raise Paused(reply.words)
    if reply.status >= 500:
        raise Unreachable(reply.words)
    return reply.expect().document

"""Ledger: what was in flight on the active side, as the standby last saw it.

Run history never moves to another region, so who was cut off in the middle is known only to one
who looked before. A look that got no answer changes nothing: the last good one is the evidence.
Everything is bounded, and what was left out is said.
"""

from datetime import datetime

from shared.record import stamp

IN_FLIGHT = ("Running", "Waiting")  # Waiting: accepted, and held back by a concurrency limit.
WELL = ("Succeeded", "Skipped", "Ignored")
ILL = ("Failed", "Cancelled", "TimedOut", "Aborted", "Faulted")
GONE = "Gone"  # Not in the run history any more.
HOSTLESS = "HostStopped"  # Of a Standard workflow whose site's host does not run: asked again.
HOST_SILENT = "HostSilent"  # Of one whose site's host did not answer, or broke: asked again.
SETTLED = (*WELL, *ILL, GONE)
LOOKS_PER_SECOND = 5  # A fifth of what ARM's bucket of reads refills (request-limits).
WORKFLOWS_PER_CALL = 20
REVIEWS_PER_CALL = 25
NAMES_MAX = 100
QUEUES_MAX = 50
WORDS_MAX = 300
COUNTS = ("active", "deadLetter", "scheduled")


def fresh(plan: str, epoch: int, location: str) -> dict:
    """The ledger of a plan in which nothing has been seen yet; `location` is the active one."""
    return {
        "version": 1,
        "plan": plan,
        "epoch": epoch,
        "location": location,
        "at": None,  # When something last answered.
        # `missed`: workflow -> since when its site's host could not say what runs.
        "sweep": {"startedAt": None, "completeSince": None, "missed": {}},
        "silent": None,  # {"because", "since"} while nobody answers.
        "runs": [],
        "cut": {},  # workflow -> at least so many runs are left out.
        "queues": [],
        "b2b": None,  # Control numbers and MICs have their place here.
    }


def looks(every_seconds: float, workflows: int) -> int:
    """How many workflows a round may look at, so that ARM's bucket is left to a failover."""
    most = int(every_seconds * LOOKS_PER_SECOND / len(IN_FLIGHT))
    return max(1, min(workflows, most))


def looked(ledger: dict, seen: list[dict], now: datetime, runs_max: int) -> dict:
    """The ledger with what was just seen of some workflows; of the others it keeps what it had.

    `seen`: {"workflow", "runs": [{"run", "trigger", "startedAt", "status", "tracking"}], "more"}.
    Beyond `runs_max` the youngest are left out: they are the likeliest to have ended since.
    """
    names = {one["workflow"] for one in seen}
    kept = [row for row in ledger["runs"] if row["workflow"] not in names]
    kept += [
        {"workflow": one["workflow"], **run, "seenAt": stamp(now)}
        for one in seen
        for run in one["runs"]
    ]
    kept.sort(key=lambda row: (row["startedAt"] or "", row["run"]))
    cut = {name: n for name, n in ledger["cut"].items() if name not in names}
    cut |= {one["workflow"]: 1 for one in seen if one["more"]}
    for row in kept[runs_max:]:
        cut[row["workflow"]] = cut.get(row["workflow"], 0) + 1
    cut = dict(sorted(cut.items())[:NAMES_MAX])
    at = stamp(now) if seen else ledger["at"]
    silent = None if seen else ledger["silent"]
    return {**ledger, "at": at, "silent": silent, "runs": kept[:runs_max], "cut": cut}


def swept(ledger: dict, cursor: int, onward: int, now: datetime) -> dict:
    """The ledger once a round has gone from `cursor` to `onward`; 0 is the beginning anew."""
    sweep = dict(ledger["sweep"])
    if cursor == 0:
        sweep["startedAt"] = stamp(now)
    if onward == 0:
        sweep["completeSince"] = sweep["startedAt"]
    return {**ledger, "sweep": sweep}


def missed(ledger: dict, names: list[str], unseen: set[str], now: datetime) -> dict:
    """The ledger with workflows that were asked for and whose site's host alone could not say.

    For them no sweep is complete: each keeps the time since which runs of it may have begun that no
    look has seen. `unseen`: all that this look has not seen; who was seen is not missed any more.
    """
    sweep = ledger["sweep"]
    before = {name: at for name, at in sweep.get("missed", {}).items() if name in unseen}
    new = dict.fromkeys(names, blind_since(ledger) or stamp(now))
    return {**ledger, "sweep": {**sweep, "missed": {**new, **before}}}


def counted(ledger: dict, queues: list[dict], now: datetime) -> dict:
    """The ledger with these depths: {"namespace", "queue", "location", "active", ...} each."""
    names = {(one["namespace"].lower(), one["queue"].lower()) for one in queues}
    kept = [
        row
        for row in ledger["queues"]
        if (row["namespace"].lower(), row["queue"].lower()) not in names
    ]
    kept += [{**one, "seenAt": stamp(now)} for one in queues]
    kept.sort(key=lambda row: (row["namespace"], row["queue"]))
    return {**ledger, "queues": kept[:QUEUES_MAX]}


def unanswered(ledger: dict, because: str, now: datetime) -> dict:
    """The ledger once nobody answered: as it was, with why nothing newer is in it."""
    since = ledger["silent"]["since"] if ledger["silent"] else stamp(now)
    return {**ledger, "silent": {"because": because[:WORDS_MAX], "since": since}}


def claims(record: dict) -> list[dict]:
    """The claims that the witness's record remembers, newest last: {"run", "at", "epoch"}."""
    return [
        {"run": line["who"], "at": line["at"], "epoch": line["epoch"]}
        for line in record["transitions"]
        if line["what"] == "claimed"
    ]


def failover_after(known: list[dict], epoch: int) -> dict | None:
    """The claim that ended `epoch`, among `claims`; None where nobody remembers it."""
    return next((claim for claim in known if claim["epoch"] == epoch + 1), None)


def frozen(ledger: dict, failover: dict | None, now: datetime) -> dict:
    """The ledger as evidence: nothing more is seen in it, only what became of what was seen."""
    own = {"frozenAt": stamp(now), "failover": failover, "found": {}, "orders": {}}
    return {**ledger, **own, "late": {"cursor": 0 if failover else None, "runs": 0}}


def to_look_at(ledger: dict, most: int) -> list[dict]:
    """The runs of a frozen ledger whose end is not known, those first that waited longest."""
    found = ledger["found"]
    open_ = [row for row in ledger["runs"] if status_of(ledger, row["run"]) not in SETTLED]
    return sorted(open_, key=lambda row: found.get(row["run"], {}).get("at") or "")[:most]


def status_of(ledger: dict, run: str) -> str | None:
    """How a run was last found after the failover; None while its region has not answered."""
    return ledger["found"].get(run, {}).get("status")


def blind_since(ledger: dict, workflow: str = "") -> str:
    """Since when a run may have begun that no look has seen: the beginning of the last sweep.

    Of a `workflow` that was missed since, that of the last one that saw it.
    """
    sweep = ledger["sweep"]
    own = sweep.get("missed", {}).get(workflow)
    return own or sweep["completeSince"] or sweep["startedAt"] or ledger["at"]


def belated(ledger: dict, seen: list[dict], onward: int, now: datetime, runs_max: int) -> dict:
    """The frozen ledger with runs that began after the last look, as their region shows them.

    `seen`: {"workflow", "runs", "more"}. What ended well is none of the ledger's business; one that
    failed by itself cannot be told from one that was cut off, and is listed too.
    """
    known = {row["run"] for row in ledger["runs"]}
    rows = [
        {"workflow": one["workflow"], **run, "seenAt": None}
        for one in seen
        for run in one["runs"]
        if run["run"] not in known and run["status"] not in WELL
    ]
    taken = rows[: max(0, runs_max - len(ledger["runs"]))]
    cut = dict(ledger["cut"])
    for name in [row["workflow"] for row in rows[len(taken) :]] + [
        one["workflow"] for one in seen if one["more"]
    ]:
        cut[name] = cut.get(name, 0) + 1
    late = {
        "cursor": onward or None,
        "runs": ledger["late"]["runs"] + len(taken),
    }
    found = {row["run"]: row["status"] for row in taken}
    more = {**ledger, "runs": [*ledger["runs"], *taken], "late": late}
    return reviewed({**more, "cut": dict(sorted(cut.items())[:NAMES_MAX])}, found, now)


def reviewed(ledger: dict, found: dict[str, str], now: datetime) -> dict:
    """The frozen ledger with run -> status as they are now."""
    if not found:
        return ledger
    new = {run: {"status": status, "at": stamp(now)} for run, status in found.items()}
    return {**ledger, "found": {**ledger["found"], **new}}


def recounted(ledger: dict, queues: list[dict], now: datetime) -> dict:
    """The frozen ledger with how deep its stranded queues are now."""
    depth = {place(one): {key: one[key] for key in COUNTS} for one in queues}
    rows = [
        {**row, "now": {**depth[place(row)], "at": stamp(now)}} if place(row) in depth else row
        for row in ledger["queues"]
    ]
    return {**ledger, "queues": rows}


def place(queue: dict) -> tuple[str, str]:
    return queue["namespace"].lower(), queue["queue"].lower()


def stranded(ledger: dict) -> list[dict]:
    """The queues that lay in the lost region with messages in them."""
    return [
        row
        for row in ledger["queues"]
        if row["location"] == ledger["location"] and any(row[key] for key in COUNTS)
    ]


def age_seconds(ledger: dict) -> float | None:
    """How old the last look was when the other side claimed; None when one is not known."""
    failover = ledger.get("failover")
    if not failover or not ledger["at"]:
        return None
    passed = datetime.fromisoformat(failover["at"]) - datetime.fromisoformat(ledger["at"])
    return round(passed.total_seconds(), 3)

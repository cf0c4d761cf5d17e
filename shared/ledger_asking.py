"""Ledger asking: what a region says of its runs, told apart from what one site's host cannot say.

Runs of a Standard workflow lie with its site's own host, which may be slow, broken or stopped while
its region is well. So such a host costs the ledger its own workflows and no others. In one call a
silent one is asked once, a stopped one once for each workflow.
"""

from shared import clients, flow_runs, ledger
from shared.plan import Plan
from shared.reply import Reply, Surprise, Unreachable

RUNS_MAX = 100  # Of one workflow in one status: one page.


class Hostless(Surprise):
    """A Standard site's host alone cannot say; `status` is what the ledger keeps of its runs."""

    def __init__(self, status: str, words: str) -> None:
        super().__init__(words)
        self.status = status


class Hosts:
    """Of the hosts that one call asks: which cannot say, and how many were silent in a row."""

    def __init__(self) -> None:
        # Site or root of a workflow's runs -> what the ledger keeps of their status, and why.
        self.mute: dict[str, tuple[str, str]] = {}
        self.row = 0

    def ask(self, part: dict, path: str, query: dict[str, str] | None = None) -> Reply:
        """One answer below the root of a workflow's runs, within seconds.

        Raises Hostless where only the host of its site cannot say, and Unreachable where it is the
        region that does not answer.
        """
        site, root = part["resource"].lower(), flow_runs.root(part)
        known = self.mute.get(site) or self.mute.get(root)
        if known:
            raise Hostless(*known)
        try:
            reply = clients.ask("GET", f"{root}{path}", query=query, bounds=clients.HURRIED)
            if reply.status >= 500:
                raise Unreachable(f"{part['name']}: {reply.words}")
        except Unreachable as error:
            raise self._judged(part, site, error) from error
        self.row = 0
        if flow_runs.hostless(part, reply.status):
            self.mute[root] = ledger.HOSTLESS, f"{part['name']}: {reply.words}"
            raise Hostless(*self.mute[root])
        return reply

    def _judged(self, part: dict, site: str, error: Unreachable) -> Surprise:
        """The host's own trouble, as long as few hosts have it and their region answers."""
        self.row += 1
        if part["kind"] != flow_runs.STANDARD or self.row >= flow_runs.HOSTS_MAX:
            return error
        if not managed(site):
            return error
        self.mute[site] = ledger.HOST_SILENT, str(error)
        return Hostless(*self.mute[site])


def managed(site: str) -> bool:
    """Does the region answer for a site? Of the site itself ARM speaks without its host."""
    try:
        status = clients.ask("GET", site, bounds=clients.HURRIED).status
    except Unreachable:
        return False
    return status < 500 and status != 429


def seen_of(
    plan: Plan, location: str, wanted: dict[str, tuple[str, ...]]
) -> tuple[list[dict], list[str], str]:
    """What runs in these workflows; of which their host could not say; why the look ended early.

    `wanted`: workflow -> filters of its runs. One silence of the region ends the look: one that is
    dying does not answer the next question either.
    """
    hosts, seen, missed = Hosts(), [], []
    for name, filters in wanted.items():
        try:
            seen.append(runs_of(hosts, plan.component(name, location), filters))
        except Hostless:  # What was known of it stays known: its runs go on with the host.
            missed.append(name)
        except Unreachable as error:
            return seen, missed, str(error)
    return seen, missed, ""


def runs_of(hosts: Hosts, part: dict, filters: tuple[str, ...]) -> dict:
    """{"workflow", "runs", "more"} of one workflow, the newest page for each filter."""
    one: dict = {"workflow": part["name"], "runs": [], "more": False}
    for wanted in filters:
        reply = hosts.ask(part, "/runs", {"$filter": wanted, "$top": str(RUNS_MAX)})
        if reply.status == 404:  # Not deployed there: nothing of it can be in flight.
            break
        if not reply.ok:
            raise Unreachable(f"{part['name']}: {reply.words}")
        one["runs"] += [in_flight(run) for run in reply.document.get("value", [])]
        one["more"] = one["more"] or bool(reply.document.get("nextLink"))
    return one


def in_flight(run: dict) -> dict:
    """What the ledger keeps of a run as ARM shows it."""
    own = run["properties"]
    return {
        "run": run["name"],
        "trigger": (own.get("trigger") or {}).get("name"),
        "startedAt": own.get("startTime"),
        "status": own.get("status"),
        "tracking": (own.get("correlation") or {}).get("clientTrackingId"),
    }


def ends_of(plan: Plan, location: str, rows: list[dict]) -> tuple[dict[str, str], str]:
    """run -> its status now, of those that could be asked for, and why the look ended early."""
    hosts, found = Hosts(), {}
    for row in rows:
        if row["workflow"] not in plan.parts:
            found[row["run"]] = ledger.GONE
            continue
        try:
            reply = hosts.ask(plan.component(row["workflow"], location), f"/runs/{row['run']}")
        except Hostless as trouble:
            found[row["run"]] = trouble.status
            continue
        except Unreachable as error:
            return found, str(error)
        if reply.status == 404:
            found[row["run"]] = ledger.GONE
        elif reply.ok:
            found[row["run"]] = str(reply.properties.get("status", ""))
        else:
            return found, f"{row['workflow']}: {reply.words}"
    return found, ""

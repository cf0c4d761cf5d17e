"""Integration accounts: what would make a failover of partners, agreements and numbers fail."""

from concurrent.futures import ThreadPoolExecutor

from shared import arm_calls, b2b, b2b_wire, clients, one_look, readiness, site_connections
from shared.b2b_wire import Account, No
from shared.denials import denied
from shared.outcome import refused, succeeded
from shared.reply import Surprise
from shared.resource_ids import group_of

PAGES_MAX = 50
GROUPS_MAX = 20
SITES_MAX = 50
THREADS = 8
SILENT = 0  # The status of a site that gave no answer.
GONE = "look again when it answers"


def check_account(payload: dict) -> dict:
    """Could this location's account take over? Fact `checks`. Safe to repeat: reads.

    `groups`: the resource groups in which the plan has workflows in this location; `sites`: its
    Standard logic apps there.
    """
    part, location = payload["component"], payload["location"]
    try:
        mine = b2b_wire.account(part["resource"])
        linked = _links(part, location, payload.get("groups", []))
        checks = [_place(mine, location), linked, _keys(part, mine, location)]
        checks += _sites(location, payload.get("sites", []))
    except No as no:
        return refused(no.because, fix="deploy it, and let the app read it")
    try:
        theirs = b2b_wire.account(part["other"]["resource"], hurried=True)
    except (No, Surprise) as silent:
        because = f"cannot be compared: {silent}"[:200]
        return succeeded(checks=[*checks, _row("artifacts", "warn", because, GONE)])
    checks += [_tier(mine, theirs), _compared(part, location, theirs, mine)]
    return succeeded(checks=[*checks, _counted(part, theirs, mine)])


def _row(name: str, status: str, because: str, fix: str = "") -> dict:
    return {"name": name, "status": status, "because": because, "fix": fix}


def _place(mine: Account, location: str) -> dict:
    """A logic app can use an account of its own location only."""
    where = str(mine.body.get("location", "")).replace(" ", "").lower()
    state = mine.body.get("properties", {}).get("state", "Enabled")
    if where != location:
        words = f"lies in {where}: logic apps of {location} cannot use it"
        return _row("location", "fail", words, f"deploy an integration account in {location}")
    if state != "Enabled":
        return _row("location", "fail", f"is {state}", "enable it")
    return _row("location", "ok", f"lies in {location} as its logic apps do")


def _links(part: dict, location: str, groups: list[str]) -> dict:
    """Which workflows use the account, and which use another location's: a link may not cross.

    Consumption's: Standard has no such property (`_sites`). `groups`: the resource groups of the
    plan's workflows, looked into beside the account's own.
    """
    own, other = part["resource"].lower(), part["other"]["resource"].lower()
    users, wrong, unseen = [], [], []
    wanted = {group.lower(): group for group in (group_of(part["resource"]), *groups)}
    for group in list(wanted.values())[:GROUPS_MAX]:
        rows = _flows(group)
        if rows is None:
            unseen.append(group.rsplit("/", 1)[-1])
        for row in rows or []:
            used = (row.get("properties", {}).get("integrationAccount") or {}).get("id", "").lower()
            where = str(row.get("location", "")).replace(" ", "").lower()
            if used and used == (other if where == location else own):
                wrong.append(row["name"])
            elif used == own:
                users.append(row["name"])
    if wrong:
        words = f"use an integration account of another location: {', '.join(wrong[:5])}"
        return _row("links", "fail", words, f"link them to {part['resource']}")
    unseen += [group.rsplit("/", 1)[-1] for group in list(wanted.values())[GROUPS_MAX:]]
    if unseen:
        words = f"logic apps cannot be listed in {', '.join(unseen[:5])}"
        return _row("links", "warn", words, "let the app's identity read them")
    return _row("links", "ok", f"{len(users)} logic apps of the plan's groups use it")


def _sites(location: str, sites: list[str]) -> list[dict]:
    """Which of the plan's Standard logic apps use an account of another location?

    None where it has no such app. Settings are listed to who may act there; a name is all that is
    told of them.
    """
    wrong, unseen, statuses = [], [], set[int]()
    for site, (status, place) in _places(sites[:SITES_MAX]):
        name = site.rsplit("/", 1)[-1]
        if place is None:
            unseen.append(name)
            statuses.add(status)
        elif place not in ("", location):
            wrong.append(name)
    if wrong:
        words = f"name an integration account of another location: {', '.join(wrong[:5])}"
        fix = f"set {site_connections.ACCOUNT.upper()} there to the URL of the location's own"
        return [_row("siteLinks", "fail", words, fix)]
    if unseen and statuses == {403} and clients.settings().location != location:
        return [readiness.unseen("siteLinks", location)]
    unseen += [site.rsplit("/", 1)[-1] for site in sites[SITES_MAX:]]
    if unseen:
        words = f"whose integration account they use cannot be told: {', '.join(unseen[:5])}"
        return [_row("siteLinks", "warn", words, "look into their settings")]
    words = f"none of {len(sites)} Standard logic apps names an account of another location"
    return [_row("siteLinks", "ok", words)] if sites else []


def _places(sites: list[str]) -> list[tuple[str, tuple[int, str | None]]]:
    """(site, (status, the location of the account that it names)), asked side by side."""

    def place(site: str) -> tuple[int, str | None]:
        try:
            status, settings = arm_calls.settings(site)
        except Surprise:  # One site that says nothing does not hide what others say.
            return SILENT, None
        return status, site_connections.account_place(settings) if status == 200 else None

    with ThreadPoolExecutor(THREADS, thread_name_prefix="sites") as pool:
        return list(zip(sites, pool.map(one_look.carried(place), sites), strict=True))


def _flows(group: str) -> list[dict] | None:
    """Every Consumption workflow of a resource group; None where it is not shown to us."""
    rows: list[dict] = []
    for reply in arm_calls.pages(f"{group}/providers/Microsoft.Logic/workflows"):
        if denied(reply, f"resource group {group}"):
            return None
        rows += reply.document.get("value", [])
    return rows


def _keys(part: dict, mine: Account, location: str) -> dict:
    """Does this location's vault hold each key that the certificates name? Names only are read."""
    vault = part.get("vaults", {}).get(location, "")
    named = {
        str(p["key"].get("keyName")): name
        for name, p in mine.artifacts["certificates"].items()
        if p.get("key")
    }
    if not named:
        return _row("keys", "ok", "no certificate here has a private key")
    if not vault:
        words = f"the plan names no vault of {location}, certificates there have private keys"
        return _row("keys", "fail", words, "give vaults in the plan")
    held = _held(part["resource"], vault)
    if isinstance(held, str):
        fix = "let Azure Logic Apps read the vault's keys"
        return _row("keys", "fail", f"its keys cannot be listed: {held}", fix)
    missing = sorted(name for key, name in named.items() if key not in held)
    if missing:
        words = f"the vault has no key for the certificates {', '.join(missing[:5])}"
        return _row("keys", "fail", words, "import each key into this location's vault")
    return _row("keys", "ok", f"the vault holds the keys of {len(named)} certificates")


def _held(resource: str, vault: str) -> set[str] | str:
    """The names of a vault's keys; a code where they cannot be listed."""
    names: set[str] = set()
    token: str | None = None
    for _ in range(PAGES_MAX):
        body = {"keyVault": {"id": vault}} | ({"skipToken": token} if token else {})
        reply = clients.ask("POST", f"{resource}/listKeyVaultKeys", body)
        if not reply.ok:
            return f"{reply.status} {reply.code}"
        page = reply.document
        for row in page.get("value", []):
            names.add(str(row.get("kid", "")).partition("/keys/")[2].partition("/")[0])
        token = page.get("skipToken")
        if not token:
            return names
    raise Surprise(f"more than {PAGES_MAX} pages of keys")


def _tier(mine: Account, theirs: Account) -> dict:
    here, there = ((one.body.get("sku") or {}).get("name") for one in (mine, theirs))
    if here != there:
        words = f"is {here}, the active one {there}"
        return _row("tier", "fail", words, "bring both to one tier: limits and features differ")
    return _row("tier", "ok", f"both are {here}")


def _compared(part: dict, location: str, theirs: Account, mine: Account) -> dict:
    found = b2b_wire.lags(part, location, theirs, mine)
    apart = [*found["stuck"], *found["copy"]]
    if apart:
        words = f"{len(apart)} artifacts are not as in the active one: {'; '.join(apart[:5])}"
        return _row("artifacts", "fail", words, "see why the mirror cannot copy them")
    if found["extra"]:
        words = f"only here: {', '.join(found['extra'][:5])}"
        return _row("artifacts", "warn", words, "delete them, or declare them in differences")
    count = sum(map(len, mine.artifacts.values()))
    return _row("artifacts", "ok", f"{count} artifacts are equal but for declared differences")


def _counted(part: dict, theirs: Account, mine: Account) -> dict:
    """Is the mirror's lag in numbers within what a failover jumps over?"""
    far = []
    for name, content in b2b.late(theirs.sessions, mine.sessions, theirs.ranges).items():
        own = mine.sessions.get(name, {}).get("content")
        there, here = b2b.number_of(content), b2b.number_of(own)
        span = b2b.range_of(name, theirs.ranges)
        reached = span.bumped(here or span.lower, part["bump"]) if span else None
        if span and there is not None and (reached is None or span.ahead(there, reached)):
            far.append(name)
    if far:
        words = f"numbers sent there are beyond what a failover jumps over: {', '.join(far[:5])}"
        return _row("numbers", "fail", words, "see that the mirror runs, or give a larger bump")
    ahead = b2b.beyond(theirs.sessions, mine.sessions, theirs.ranges)
    if ahead:
        words = f"are further on here than where they are sent: {', '.join(ahead[:5])}"
        fix = "unless a cancelled run raised them, ask the partners about numbers that came twice"
        return _row("numbers", "warn", words, fix)
    return _row("numbers", "ok", "no partner would see a number twice")

"""The stage's other beginning: what the app stands on is deployed from the project's own templates.

As a person would do it: the standby first, then the active location, then each once more with the
other's identity, then the witness and the roles. What a template forgets is missing afterwards,
and what the app may not do, ARM refuses.
"""

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp

from rehearsal import stage_hosts, stage_storage
from rehearsal.estate import Estate
from rehearsal.identity import mint
from rehearsal.processes import NotStarted
from shared.plan import load
from shared.plan_roles import narrowed

if TYPE_CHECKING:
    from rehearsal.stage import Stage

VERSION = "2024-11-01"
ARM = "https://management.azure.com"
SITES = "Microsoft.Web/sites"
POLLS_MAX, POLL_SECONDS = 600, 0.2
# The rehearsal has no Application Insights, and reaches the slips through its own forwarders.
ELSEWHERE = ("SLIPS", "APPLICATIONINSIGHTS_")


class Deployer:
    """A person with the templates and a token for this stage's ARM."""

    def __init__(self, stage: "Stage", folder: Path, session: aiohttp.ClientSession) -> None:
        self.stage, self.folder, self.session = stage, folder, session
        self.oid = stage.world.uuid()
        stage.world.principals[self.oid] = ("deployer", "")
        self.context = stage.authority.client()

    async def location(self, name: str, other: dict) -> dict:
        """Deploy main.json for one location; gives its outputs' values.

        `other`: the outputs of the other location's deployment; empty before there is one.
        """
        file = json.loads((self.folder / f"parameters.{name}.json").read_text(encoding="utf-8"))
        given = file["parameters"] | values(
            otherPrincipalId=other.get("principalId", ""),
            otherWorkspaceId=other.get("workspaceId", ""),
            alertWebhook=stage_hosts.ALERTS,
            apiAuth="key",  # The rehearsal has no App Service authentication in front of the app.
            watchdogSchedule=stage_hosts.SCHEDULES["WATCHDOG_SCHEDULE"],
            heartbeatSchedule=stage_hosts.SCHEDULES["HEARTBEAT_SCHEDULE"],
            backupSchedule=stage_hosts.SCHEDULES["BACKUP_SCHEDULE"],
        )
        group = self.stage.estate.locations[name].resourceGroup
        return await self.deploy(f"understudy-{name}", "main", group, given)

    async def deploy(self, name: str, template: str, group: str, given: dict) -> dict:
        """Deploy one template into a group and see that a second deployment would change nothing.

        Gives its outputs' values; raises NotStarted with ARM's own words.
        """
        text = (self.folder / f"{template}.json").read_text(encoding="utf-8")
        raw = json.loads(text)
        if template == "access":  # As docs/deploy.md says: no more than this plan asks for.
            raw = narrowed(raw, {part.kind for part in load(self.stage.scene.plan_text).components})
        properties = {"mode": "Incremental", "template": raw, "parameters": given}
        path = (
            f"{self.stage.estate.group_id(group)}/providers/Microsoft.Resources/deployments/{name}"
        )
        await self.ask("PUT", path, {"properties": properties})
        made = await self.ask("GET", path)
        outputs = made["properties"].get("outputs", {})
        later = await self.ask("POST", f"{path}/whatIf", {"properties": properties})
        changed = [c for c in later["properties"]["changes"] if c["changeType"] != "NoChange"]
        if changed:
            told = "; ".join(f"{c['changeType']} {c['resourceId']}" for c in changed[:5])
            raise NotStarted(f"{template}.json deployed twice is not the same: {told}")
        return {key: one["value"] for key, one in outputs.items()}

    async def ask(self, method: str, path: str, body: dict | None = None) -> dict:
        """One request, and where ARM says "running", the wait for its end."""
        url = f"https://127.0.0.1:{self.stage.arm.port}{path}?api-version={VERSION}"
        status, headers, found = await self._once(method, url, body)
        where = (
            headers.get("Azure-AsyncOperation") if status in (201, 202) or method == "PUT" else ""
        )
        for _ in range(POLLS_MAX if where else 0):
            await asyncio.sleep(POLL_SECONDS)
            _, _, state = await self._once("GET", self._here(str(where)))
            if state["status"] == "Failed":
                raise NotStarted(f"{path}: {state['error']['message']}")
            if state["status"] == "Succeeded":
                break
        if method == "POST" and headers.get("Location"):
            _, _, found = await self._once("GET", self._here(headers["Location"]))
        return found

    def _here(self, url: str) -> str:
        return f"https://127.0.0.1:{self.stage.arm.port}/{url.split('/', 3)[3]}"

    async def _once(
        self, method: str, url: str, body: dict | None = None
    ) -> tuple[int, dict[str, str], dict]:
        token = mint(self.stage.world, self.oid, ARM, self.stage.world.now)
        headers = {"Authorization": f"Bearer {token}", "Host": "management.azure.com"}
        async with self.session.request(
            method, url, json=body, headers=headers, ssl=self.context
        ) as reply:
            found = await reply.json(content_type=None) if reply.status != 204 else {}
            if reply.status >= 400:
                raise NotStarted(f"{method} {url.split('?')[0]}: {found['error']['message']}")
            return reply.status, dict(reply.headers), found or {}


def values(**given: object) -> dict:
    """Parameters as a parameter file has them."""
    return {name: {"value": value} for name, value in given.items()}


def access(estate: Estate, group: str, home: str, standby: str) -> dict:
    """Who may do what in a group: the standby acts on both sides, the active one on its own."""
    if group == estate.locations[estate.standby].resourceGroup:
        return values(principalId=standby, otherPrincipalId=home, otherActs=False)
    return values(principalId=home, otherPrincipalId=standby, otherActs=True)


async def deploy(stage: "Stage", folder: Path) -> None:
    """Deploy everything, then let the app's identities do only what the templates allow."""
    estate, world = stage.estate, stage.world
    async with aiohttp.ClientSession(trust_env=False) as session:
        person = Deployer(stage, folder, session)
        standby = await person.location(estate.standby, {})
        home = await person.location(estate.home, standby)
        await person.location(estate.standby, home)
        both = values(principalId=home["principalId"], otherPrincipalId=standby["principalId"])
        store = values(storage=estate.witness.storage)
        await person.deploy("witness", "witness", estate.witness.resourceGroup, both | store)
        for group in estate.resourceGroups:
            given = access(estate, group, home["principalId"], standby["principalId"])
            await person.deploy("access", "access", group, given)
    world.roles_enforced = True
    await asyncio.to_thread(stage_storage.lay_plan, stage.storage, stage.scene)


def settings_of(stage: "Stage", location: str) -> dict[str, str] | None:
    """The app settings that the template gave a location's site; None where none was deployed."""
    if stage.scene.templates is None:
        return None
    app = stage.estate.locations[location].app
    sites = [s for s in stage.world.resources.of_type(SITES) if s.name == app]
    if not sites:
        raise NotStarted(f"the templates deploy no site {app}")
    told = sites[0].properties["siteConfig"]["appSettings"]
    return {one["name"]: one["value"] for one in told if not one["name"].startswith(ELSEWHERE)}


def know(stage: "Stage", location: str, settings: dict[str, str] | None) -> None:
    """Let the identity endpoint know the app's deployed identity; it is the app in the journal."""
    wanted = (settings or {}).get("AZURE_CLIENT_ID", "")
    kind = "Microsoft.ManagedIdentity/userAssignedIdentities"
    for row in stage.world.resources.of_type(kind):
        if row.properties["clientId"] == wanted:
            oid = stage.identity.clients[wanted] = row.properties["principalId"]
            stage.world.principals[oid] = (stage.estate.locations[location].app, location)

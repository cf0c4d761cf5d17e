"""Alerts: tell people, on the log and at their webhook, and never fail because of it."""

import json
import logging
from datetime import UTC, datetime

from shared import probe, store
from shared.outcome import refused, succeeded
from shared.plan import BadPlan
from shared.reply import Surprise
from shared.settings import settings

SECONDS_MAX = 5.0
DEFAULT = "ALERT_WEBHOOK"
LOG = logging.getLogger("understudy.alerts")


def alert(payload: dict) -> dict:
    """Log one JSON line and POST it to the webhook whose setting the plan names.

    Everything in `payload` goes out with it. Safe to repeat, though people then read it twice. A
    webhook that fails is logged and answered `refused`, never raised: an alert stops no failover.
    With `again` the log had it before, where rules page for each `alert`.
    """
    key = "alertAgain" if payload.get("again") else "alert"
    line = {**payload, "location": settings().location, "at": datetime.now(UTC).isoformat()}
    LOG.warning("%s", json.dumps({key: line}, default=str))
    url = _webhook(payload["plan"])
    if not url:
        return succeeded("logged; no webhook is set")
    try:
        reply = probe.call("POST", url, SECONDS_MAX, body=line)
    except Surprise as error:
        return _unsent(str(error))
    return succeeded("sent") if reply.ok else _unsent(f"the webhook answered {reply.status}")


def _unsent(because: str) -> dict:
    LOG.error("%s", json.dumps({"alertNotSent": because}))
    return refused(f"alert not sent: {because}")


def _webhook(plan: str) -> str:
    """The URL in the setting that the plan names, or in the default one."""
    name = DEFAULT
    try:
        held = store.newest(plan)
        if held and held.plan.alerts:
            name = held.plan.alerts.webhook_setting
    except (Surprise, BadPlan) as error:
        LOG.warning("%s", json.dumps({"alertPlanUnreadable": str(error)[:300]}))
    return settings().webhooks.get(name, "")

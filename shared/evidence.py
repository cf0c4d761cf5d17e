"""Evidence: what a person is shown, and has written down, who decides over verdict and lease."""

from datetime import datetime

from shared import witness


def gathered(record: dict, verdict: dict | None, now: datetime) -> dict:
    """{"verdict": {"state", "because", "since"} | null, "lease": {"holder", "until", "live"}}.

    `verdict`: on the active location; null where nobody here has watched it of late.
    """
    shown = {key: verdict[key] for key in ("state", "because", "since")} if verdict else None
    lease = {
        "holder": record["holder"],
        "until": record["leaseUntil"],
        "live": witness.lease_live(record, now),
    }
    return {"verdict": shown, "lease": lease}


def overrides(evidence: dict) -> bool:
    """Would a watchdog have refused for the verdict or the lease?"""
    verdict = evidence["verdict"]
    return verdict is None or verdict["state"] != "lost" or evidence["lease"]["live"]


def words(evidence: dict) -> str:
    """The evidence as a transition keeps it."""
    verdict, lease = evidence["verdict"], evidence["lease"]
    state = f"verdict {verdict['state']}" if verdict else "no verdict"
    until = f"until {lease['until']}" if lease["until"] else "not taken"
    return f"over {state}, lease of {lease['holder']} {'lives' if lease['live'] else 'is'} {until}"

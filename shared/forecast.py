"""Forecast: how long a failover of this plan must take at least, and of what that consists.

The same figure is the lower bound that a drill's report holds the measured RTO against.
"""

from shared import pace
from shared.plan import Plan

STAGES = ("promote", "activate", "redirect")  # Those that call ARM one wave after the other.
CALLS_PER_COMPONENT = 2  # Look, then change; the proof overlaps with the next wave's look.


def rto_lower_bound(plan: Plan, to: str, arm_seconds: float = 0.1) -> dict:
    """{"seconds", "parts": {"detection", "arm", "pace", "dns"}}, all in seconds.

    `arm_seconds`: what one ARM call takes. Waves wait for each other, so each adds its calls;
    beyond ARM's token bucket every write waits for its token.
    """
    waves = [wave for stage in STAGES for wave in plan.waves(stage, to)]
    parts = {
        "detection": float(plan.watch.rounds * plan.watch.every_seconds),
        "arm": len(waves) * CALLS_PER_COMPONENT * arm_seconds,
        "pace": pace.bound_seconds(sum(map(len, waves))),
        "dns": float(plan.ttl_seconds()),
    }
    return {"seconds": sum(parts.values()), "parts": parts}

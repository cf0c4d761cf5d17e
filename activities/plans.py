"""Plans: load what a run is about."""

from shared import store
from shared.outcome import refused, succeeded
from shared.plan import BadPlan


def load_plan(payload: dict) -> dict:
    """The plan named `plan`; with `digest`, that very version.

    Facts: `plan` (canonical document; not where `digest` is `known`: then `unchanged`), `digest`,
    and `stale`, the problems of a newer text that is bad while this last good one is run with.
    Refused with fact `missing` when there is no such plan at all. Safe to repeat: reads, and keeps
    good versions.
    """
    name, digest = payload["plan"], payload.get("digest")
    if digest:
        held = store.pinned(name, digest)
        if held:
            return succeeded(plan=held.plan.document, digest=digest, stale=[])
    try:
        held = store.newest(name)
    except BadPlan as bad:
        return refused(f"plan {name} is bad: {'; '.join(bad.problems[:5])}", problems=bad.problems)
    if held is None:
        because = f"no plan {name} here: lay plans/{name}.yaml in container understudy"
        return refused(because, missing=True)
    if digest and held.plan.digest != digest:
        return refused(
            f"version {digest[:12]} of plan {name} is not known here, "
            f"only {held.plan.digest[:12]}: lay the same plan in both locations"
        )
    because = "runs on the last good plan: the newest is bad" if held.stale else ""
    same = held.plan.digest == payload.get("known")
    told = {"unchanged": True} if same else {"plan": held.plan.document}
    return succeeded(because, digest=held.plan.digest, stale=list(held.stale), **told)

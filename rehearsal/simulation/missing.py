"""Missing: safety features that the product has not yet, by the property that lacks them.

A breach with such a cause is counted here and is no violation. Whoever builds the feature takes
its row out, and sees the simulator agree.
"""

NOT_YET = {
    "claimed-over-lease": "claim does not wait for the lease by the storage service's clock: a "
    "watchdog that could not read the witness in its last round goes by an older record",
    "both-live": "an active side that cannot renew does not demote itself, nor does one that "
    "returns: what the fence could not reach stays enabled beside the new side",
    "stale-effect": "activities do not read the witness again before they change something: a "
    "request that its caller gave up may land in a later epoch",
    "pause-midway": "a pause does not stop a run that is reserved already",
    "half-stopped": "a heartbeat that steps back and hears no answer counts the workflow as not "
    "stopped; the request lands later, and serving again brings back only what counts as stopped",
    "nobody-resumes": "a run that halts, or is overtaken, after its claim is resumed by nobody: "
    "its location is active, has not been activated, and is watched by no one",
    "left-behind": "a component that was refused is paged and written down, but not tried again",
}

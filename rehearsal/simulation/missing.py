"""Missing: safety features that the product has not yet, by the property that lacks them.

A breach with such a cause is counted here and is no violation. Whoever builds the feature takes
its row out, and sees the simulator agree.
"""

NOT_YET = {
    "both-live": "what the fence could not reach is not fenced again just before it is enabled "
    "on the new side: a region that returns in that moment runs it too until its app is up",
    "stale-effect": "activities do not read the witness again before they change something: a "
    "request that its caller gave up may land in a later epoch",
    "pause-midway": "a pause does not stop a run that is reserved already",
    "half-stopped": "a heartbeat that steps back counts as stopped only what it heard was stopped: "
    "where the answer was lost, or its process died, the repeat finds it stopped already, and "
    "serving again does not bring it back",
    "nobody-resumes": "a run that halts, or is overtaken, after its claim is resumed by nobody: "
    "its location is active, has not been activated, and is watched by no one",
    "left-behind": "a component that was refused is paged and written down, but not tried again",
}

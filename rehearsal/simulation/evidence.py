"""Evidence: what the watchdog of each location was answered, and whether it proves a loss.

Said again here in plain words, apart from `shared.verdict`, so that a bug there is seen.
"""

from collections import deque

KINDS_MIN = 2
DIRECT = ("health", "gateway")
CONTROL = "controlPlane"  # That nothing can be changed there proves no loss.
LOOKS = {
    "observe_health",
    "observe_gateway_status",
    "observe_traffic_manager",
    "observe_lease",
    "observe_control_plane",
    "control_arm",
    "control_http",
}


class Evidence:
    """The last rounds of every location's watchdog."""

    def __init__(self, watch: dict) -> None:
        self._looks = len(watch["observers"]) + len(watch["controls"]) + 1
        self._needed = watch["rounds"]
        self._seen: dict[str, list[dict]] = {}
        self._rounds: dict[str, deque[dict]] = {}

    def forget(self, here: str) -> None:
        """A watchdog begins anew."""
        self._seen[here] = []
        self._rounds[here] = deque(maxlen=self._needed)

    def saw(self, here: str, answer: dict) -> None:
        """One look was answered; so many of them are a round."""
        seen = self._seen[here]
        seen.append(answer)
        if len(seen) == self._looks:
            self._rounds[here].append(summed(seen))
            self._seen[here] = []

    def lacking(self, here: str) -> str:
        """Why the last rounds do not prove a loss; empty when they do."""
        rounds = self._rounds[here]
        if len(rounds) < self._needed:
            return f"only {len(rounds)} rounds were seen"
        for seen in rounds:
            if len(seen["failing"]) < KINDS_MIN:
                return f"only {sorted(seen['failing'])} failed"
            if seen["well"] & set(DIRECT):
                return f"{sorted(seen['well'])} said all is well"
            if not seen["control"]:
                return "nothing at all could be reached"
        return "the lease was seen to live" if "lease" in rounds[-1]["well"] else ""


def summed(answers: list[dict]) -> dict:
    """One round: which kinds fail, which are well, and whether anything could be reached."""
    seen = [a["observation"] for a in answers if "observation" in a]
    well = {o["kind"] for o in seen if o["ok"] is True}
    return {
        "failing": {o["kind"] for o in seen if o["ok"] is False} - well - {CONTROL},
        "well": well,
        "control": any(a["control"]["ok"] for a in answers if "control" in a),
    }

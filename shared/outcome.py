"""Outcome: the one shape in which every activity answers.

An expected "no" is a value with its reason; only surprises are raised. `because` is the sentence
that reaches log, alert, page and test unchanged.
"""

# How long a stage waits before it asks again for what is busy, and how often it does.
BUSY_PAUSE_SECONDS = 10.0
BUSY_ROUNDS_MAX = 6


def succeeded(because: str = "", **facts: object) -> dict:
    """It is done, or was done already. `facts` are plain JSON beside the status."""
    return {"status": "succeeded", "because": because, **facts}


def refused(because: str, **facts: object) -> dict:
    """An expected no. `because` names what to do about it."""
    return {"status": "refused", "because": because, **facts}


def running(operation: str, retry_after_seconds: float, **facts: object) -> dict:
    """Accepted and not finished: ask `operation`, a URL, after that many seconds."""
    return {
        "status": "running",
        "because": "",
        "operation": operation,
        "retryAfterSeconds": retry_after_seconds,
        **facts,
    }


def skipped(because: str, **facts: object) -> dict:
    """Nothing had to be done."""
    return {"status": "skipped", "because": because, **facts}

"""Routes: every operation of the HTTP API in one table, from which OpenAPI is made."""

from typing import NamedTuple

READ, CHANGE, OPEN = "read", "change", "open"


class Route(NamedTuple):
    """One operation. `answers`: status -> what it means."""

    path: str
    method: str
    name: str
    says: str
    needs: str
    answers: dict[int, str]


ROUTES: tuple[Route, ...] = (
    Route(
        "/health",
        "get",
        "getHealth",
        "Can this location do its work?",
        OPEN,
        {200: "healthy", 503: "a check fails; the body says which and why"},
    ),
    Route("/openapi.json", "get", "getOpenapi", "This document", READ, {200: "OpenAPI 3.1"}),
    Route("/plans", "get", "getPlans", "Every plan at a glance", READ, {200: "the plans"}),
    Route(
        "/plans/{plan}",
        "get",
        "getPlan",
        "One plan: who is active, the verdict, the backup's age, what a failover takes",
        READ,
        {200: "the plan; `warnings` say why something is null or old", 404: "no such plan"},
    ),
    Route(
        "/plans/{plan}/readiness",
        "get",
        "getReadiness",
        "What would make a failover to the standby fail today, the worst first",
        READ,
        {200: "ready or not, and every check with what to do", 404: "no such plan"},
    ),
    Route(
        "/plans/{plan}/failover",
        "post",
        "postFailover",
        "Start a failover, or with dryRun show what one would do",
        CHANGE,
        {
            200: "dry run: what would be called, how the world would differ, and how long it would "
            "take; in words for who accepts only text/plain",
            202: "reserved and sent; Location is the run, the same for the same Idempotency-Key; "
            "`evidence` is what a forced order overrides, `switched` a graceful run made forced",
            400: "the body or the key is wrong; every error is named",
            404: "no such plan",
            409: "not now: a run is in progress, the plan is paused, or (graceful) not ready",
        },
    ),
    Route(
        "/plans/{plan}/backup",
        "post",
        "postBackup",
        "Back the active gateway up, if it has changed",
        CHANGE,
        {202: "started", 404: "no such plan"},
    ),
    *(
        Route(
            f"/plans/{{plan}}/{word}",
            "post",
            f"post{word.capitalize()}",
            says,
            CHANGE,
            {
                200: "what holds now",
                400: "the body is wrong; every error is named",
                404: "no such plan",
                503: "the witness cannot be reached",
            },
        )
        for word, says in (
            ("pause", "Nobody moves the plan until it is resumed"),
            ("resume", "The plan may move again"),
            ("acknowledge", "End the quiet period after a run, or say that a manual step is done"),
        )
    ),
    Route(
        "/plans/{plan}/backups",
        "get",
        "getBackups",
        "Every backup with its manifest, newest first",
        READ,
        {200: "the backups", 404: "no such plan"},
    ),
    Route(
        "/plans/{plan}/audit",
        "get",
        "getAudit",
        "The hash-chained lines of what was decided and done, a page at a time",
        READ,
        {
            200: "lines after the first `after`; `next` goes on",
            400: "no number",
            404: "no such plan",
        },
    ),
    Route(
        "/plans/{plan}/history",
        "get",
        "getHistory",
        "Trigger and run history of both locations' workflows in one list, newest first",
        READ,
        {
            200: "the newest `top` rows that are asked for; `next` (and Link) is the `after` of "
            "the next page. Of `sets` of 25 workflows it is this `set`: `warnings` link to the "
            "next one. As CSV with `format=csv`, or for who accepts text/csv",
            400: "the query is wrong; every error is named",
            404: "no such plan",
            429: "asked so often that a failover's own reads would wait; it says for how long",
        },
    ),
    Route(
        "/plans/{plan}/ledger",
        "get",
        "getLedger",
        "Runs in flight on the active side; after a failover those abandoned, and what is offered",
        READ,
        {200: "the ledgers that lie here", 400: "epoch is no number", 404: "no such plan or epoch"},
    ),
    *(
        Route(
            f"/plans/{{plan}}/ledger/{word}",
            "post",
            f"post{word.capitalize()}",
            says,
            CHANGE,
            {
                202: "what is ordered, what was before, and what is refused and why",
                400: "the body is wrong; every error is named",
                404: "no such plan, or no ledger of such an epoch here",
            },
        )
        for word, says in (
            ("resubmit", "Run again, once, what a failover cut off and did not end well"),
            ("drain", "Cancel what still runs of it in the region that came back"),
        )
    ),
    *(
        Route(
            f"/runs/{{run}}/{word}",
            "post",
            f"postRun{word.capitalize()}",
            says,
            CHANGE,
            {
                200: "what holds now; an approval over verdict or lease has the evidence with it",
                400: "the body is wrong; every error is named",
                404: "no such run",
                409: "not now, and why: it has ended, or is past its point of no return",
            },
        )
        for word, says in (
            ("approve", "Let a run begin that waits for a person"),
            ("decline", "End a run that waits for a person: nothing is moved"),
            ("pause", "Stop a run where it next can, for a day at most"),
            ("resume", "Let a paused run go on"),
            ("cancel", "Undo what a run has done, in reverse order, before its point of no return"),
        )
    ),
    Route(
        "/runs/{run}",
        "get",
        "getRun",
        "A run's timeline",
        READ,
        {200: "the run", 404: "no such run"},
    ),
)

"""Why the service says no: the AMQP conditions that the official clients know."""

MESSAGE_LOCK_LOST = "com.microsoft:message-lock-lost"
MESSAGE_NOT_FOUND = "com.microsoft:message-not-found"
SESSION_LOCK_LOST = "com.microsoft:session-lock-lost"
CANNOT_BE_LOCKED = "com.microsoft:session-cannot-be-locked"
TIMED_OUT = "com.microsoft:timeout"
SERVER_BUSY = "com.microsoft:server-busy"
ARGUMENT_ERROR = "com.microsoft:argument-error"
NOT_FOUND = "amqp:not-found"
NOT_ALLOWED = "amqp:not-allowed"
TOO_LARGE = "amqp:link:message-size-exceeded"
DETACHED = "amqp:link:detach-forced"
INTERNAL = "amqp:internal-error"

# What the management node answers instead of a condition on a link.
STATUS_CODES = {
    MESSAGE_LOCK_LOST: 410,
    SESSION_LOCK_LOST: 410,
    MESSAGE_NOT_FOUND: 404,
    NOT_FOUND: 404,
    CANNOT_BE_LOCKED: 409,
    TIMED_OUT: 408,
    SERVER_BUSY: 503,
    ARGUMENT_ERROR: 400,
    NOT_ALLOWED: 400,
}


class Refusal(Exception):
    """The service declines; `condition` is for the program, `description` for its reader."""

    def __init__(self, condition: str, description: str) -> None:
        super().__init__(f"{condition}: {description}")
        self.condition = condition
        self.description = description

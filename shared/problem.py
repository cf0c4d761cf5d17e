"""Problem: an HTTP error in the shape of RFC 9457, the one way in which the API says no."""

TYPE = "about:blank"  # RFC 9457 section 4.2.1: the title then says what the status says.


class Problem(Exception):
    """Raised anywhere in a request and rendered once; `body` is the answer."""

    def __init__(self, body: dict) -> None:
        super().__init__(f"{body['status']} {body['title']}: {body['detail']}")
        self.body = body


def problem(status: int, title: str, detail: str, **more: object) -> dict:
    """The body of an application/problem+json answer; `more` are its extension members."""
    return {"type": TYPE, "title": title, "status": status, "detail": detail, **more}

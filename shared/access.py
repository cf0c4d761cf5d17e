"""Access: what a caller's Entra identity lets it do, and who it is, in `entra` mode.

App Service's authentication checks the token and hands over who it is in the header
`x-ms-client-principal` (base64 JSON), and strips that header from everything that comes from
outside. In `key` mode the Functions host asks for keys and nothing here is called.
"""

import base64
import binascii
import json

READ = "Understudy.Read"
OPERATE = "Understudy.Operate"
ENOUGH = {READ: (READ, OPERATE), OPERATE: (OPERATE,)}
HEADER_MAX = 16 * 1024
ROLE_CLAIMS = ("roles", "http://schemas.microsoft.com/ws/2008/06/identity/claims/role")
# App Service maps some of a token's claims to longer names. Of several the first one counts. What
# is only shown is not among them, nor a mail address. A sign-in name may be somebody else's one
# day: it says who it was then. A token that a person got through a client also has that client's
# id, so that comes last.
SOAP = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims"
NAMES = ("preferred_username", "upn", f"{SOAP}/upn", "unique_name", f"{SOAP}/name")
OBJECT = "http://schemas.microsoft.com/identity/claims/objectidentifier"
IDS = (OBJECT, "oid", f"{SOAP}/nameidentifier", "sub", "appid", "azp")
NAME_MAX = 180  # With the word before it, within what a slip takes.


def admits(header: str | None, role: str) -> dict:
    """May the principal in `header` do what `role` is asked for? {"allowed", "status", "because"}.

    401 when nobody is there, 403 when somebody is who may not.
    """
    if not header:
        return {"allowed": False, "status": 401, "because": "no Entra identity came with this call"}
    roles = roles_of(header)
    if roles is None:
        return {"allowed": False, "status": 401, "because": "the identity's header is not readable"}
    if not set(roles) & set(ENOUGH[role]):
        return {"allowed": False, "status": 403, "because": f"the identity lacks role {role}"}
    if role == OPERATE and not who(header):  # Who changes something is written down.
        return {"allowed": False, "status": 401, "because": "the identity has no name and no id"}
    return {"allowed": True, "status": 200, "because": ""}


def roles_of(header: str) -> list[str] | None:
    """The app roles in the header; None when it cannot be read."""
    rows = claims_of(header)
    if rows is None:
        return None
    return [str(row.get("val")) for row in rows if row.get("typ") in ROLE_CLAIMS]


def who(header: str | None) -> str:
    """Whose word it is: `person NAME`, by what he signs in with, or `principal ID`; "" for nobody.

    The word in front makes that nobody passes for a watchdog or a run, whatever he is called.
    """
    rows = claims_of(header or "") or []
    for word, claims in (("person", NAMES), ("principal", IDS)):
        found = [row.get("val") for claim in claims for row in rows if row.get("typ") == claim]
        name = next((one for one in found if isinstance(one, str) and writable(one)), None)
        if name:
            return f"{word} {name}"
    return ""


def writable(name: str) -> bool:
    """Is this short, in one piece, and nothing that a reader of the record would not see?"""
    return 0 < len(name) <= NAME_MAX and name.isprintable() and " " not in name


def claims_of(header: str) -> list[dict] | None:
    """The rows of claims in the header; None when it cannot be read."""
    try:
        told = json.loads(base64.b64decode(header[:HEADER_MAX], validate=True))
    except (binascii.Error, ValueError):
        return None
    claims = told.get("claims") if isinstance(told, dict) else None
    if not isinstance(claims, list):
        return None
    return [claim for claim in claims if isinstance(claim, dict)]

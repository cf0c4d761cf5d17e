"""Access: what a caller's Entra identity lets it do, in `entra` mode.

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
    return {"allowed": True, "status": 200, "because": ""}


def roles_of(header: str) -> list[str] | None:
    """The app roles in the header; None when it cannot be read."""
    try:
        told = json.loads(base64.b64decode(header[:HEADER_MAX], validate=True))
    except (binascii.Error, ValueError):
        return None
    claims = told.get("claims") if isinstance(told, dict) else None
    if not isinstance(claims, list):
        return None
    rows = [claim for claim in claims if isinstance(claim, dict)]
    return [str(row.get("val")) for row in rows if row.get("typ") in ROLE_CLAIMS]

"""Plan raw: reading a plan document before anybody knows whether it is one.

Every wrong shape is forgiven here, because pydantic reports those.
"""


def mapping(data: dict, key: str) -> dict:
    value = data.get(key)
    return value if isinstance(value, dict) else {}


def components(data: dict) -> list[tuple[str, dict]]:
    """Each component with its path; what is no mapping is left to pydantic."""
    parts = data.get("components")
    parts = parts if isinstance(parts, list) else []
    return [(f"components[{n}]", part) for n, part in enumerate(parts) if isinstance(part, dict)]


def waits_of(part: dict) -> list[str]:
    waits = part.get("waitsFor")
    return [w for w in waits if isinstance(w, str)] if isinstance(waits, list) else []


def by_name(data: dict) -> dict[str, dict]:
    return {p["name"]: p for _, p in components(data) if isinstance(p.get("name"), str)}

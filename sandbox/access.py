"""Who may call the API: the key and its scopes."""

import secrets

from sandbox.state import State
from sandbox.wire import Request, Response, error


def refused_access(state: State, request: Request, *, scope: str | None = None) -> Response | None:
    """The 401 or 403 for a request without the right key or scope; None when it may pass."""
    scheme, _space, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        return error(401, "authorization required")
    wanted = state.options.api_key
    if wanted is not None and not secrets.compare_digest(key.strip().encode(), wanted.encode()):
        return error(401, "The provided authorization grant is invalid, expired, or revoked")
    if scope is not None and scope not in state.options.scopes:
        return error(403, "access forbidden")
    return None

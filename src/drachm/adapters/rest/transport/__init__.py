"""How does a request come in and an answer go out, whatever the route? The transport of the HTTP service.

`app.py` (what happens around every route) and `pump.py` (group commit) are the middle; `wire.py`, `exchange.py` and
`limits.py` guard the door; `problems.py` says no; `server.py` and `supervisor.py` run it; the conventions of the API
have a file each: `values.py`, `identifiers.py`, `cursors.py`, `versions.py`, `rates.py`, `idempotency.py`, `media.py`.
"""

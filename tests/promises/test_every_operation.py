"""Every call of the route table is served: by a handler, or by a page of the transport itself."""

from __future__ import annotations

from pathlib import Path

from drachm.adapters.rest.identity.routes import ROUTES
from drachm.adapters.rest.service import operations
from drachm.adapters.rest.transport.app import Service, build

SERVICE = Path(operations.__file__).parent


def own_pages() -> set[tuple[str, str]]:
    """What the transport serves without anybody's help."""
    app = build(Service())
    return {
        (method, route.path)  # type: ignore[attr-defined]
        for route in app.inner.router.routes
        for method in (getattr(route, "methods", None) or ())
    }


def test_every_entry_of_the_route_table_has_an_operation() -> None:
    served = operations.every_operation()
    own = own_pages()
    missing = [
        route.operation
        for route in ROUTES
        if route.operation not in served and (route.method, route.template) not in own
    ]
    assert missing == []


def test_every_room_with_operations_is_read() -> None:
    declaring = {path.stem for path in SERVICE.glob("*.py") if "\n@operation(" in path.read_text("utf-8")}
    assert len(declaring) > 15
    assert declaring - vars(operations).keys() == set()

"""Our own JSON and NDJSON form of a `ServiceEvent`; described in docs/reference/event-json.md."""

from drachm.adapters.eventjson.read import read_event, read_file
from drachm.adapters.eventjson.write import write_event

__all__ = ["read_event", "read_file", "write_event"]

"""Our own JSON and NDJSON form of a `ServiceEvent`; described in docs/reference/event-json.md."""

from drachm.adapters.eventjson.document import read_event_bytes, read_events_bytes, read_file, read_lines_bytes
from drachm.adapters.eventjson.read import read_event
from drachm.adapters.eventjson.write import write_event

__all__ = ["read_event", "read_event_bytes", "read_events_bytes", "read_file", "read_lines_bytes", "write_event"]

"""What does one patient's record hold for us?"""

from __future__ import annotations

from dataclasses import dataclass

from drachm.domain.coverage.model import Coverage, Member, Party
from drachm.domain.errors import DrachmError
from drachm.domain.events.model import ServiceEvent

SOURCE = "synthea"
"""The `source` of every event read here."""


@dataclass(frozen=True, slots=True)
class PatientBundle:
    """One patient with everything that costs money, in order of time."""

    member: Member | None
    """None: the record held no readable patient; then there is nothing but `problems`."""
    coverages: tuple[Coverage, ...]
    """By start, then rank. On the day of every event exactly the cover its source names is in force."""
    providers: tuple[Party, ...]
    """The organizations and practitioners that the events name, by id."""
    events: tuple[ServiceEvent, ...]
    """By start, then visit, then the order of the source (visit fee before its items, pharmacy last)."""
    problems: tuple[DrachmError, ...]
    """What could not be read, each with its place. A refused claim has no event at all; the rest is complete."""
    source_file: str
    """Short name of the file or folder, without the patient's name."""

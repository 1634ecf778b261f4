"""What does a patient see first? The latest visits, each as one answer."""

from __future__ import annotations

from drachm.adapters.rest.service.call import Reply
from drachm.adapters.rest.service.my_frame import PatientSeat, patient_page
from drachm.adapters.rest.service.page_frame import Entry
from drachm.adapters.rest.service.speech import N_


@patient_page("open_my_home", entry=Entry("home", N_("Visits"), "/my", "home", 10))
def open_my_home(seat: PatientSeat) -> Reply:
    """The latest visits."""
    visits = seat.ask("list_visits", query={"limit": "10"}).data
    return seat.page("my_home.html", "home", visits=visits)

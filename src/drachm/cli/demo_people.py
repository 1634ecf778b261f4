"""Who can a visitor of the demo be? Four people, each with the pages that are theirs.

The demo enrolled them and their money before anything served; here they get what an operator, a holder and a clinic
would have kept of them: who is who, whose pocket it is, and who is in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from drachm.application.desk import Desk
from drachm.application.households import WALLET, Membership, helper_of, keep_membership
from drachm.application.people import PROFILE, profile_terms
from drachm.application.records import Record
from drachm.application.ties import Tie, allow
from drachm.cli.demo_network import FAMILY_HOLDER, FAMILY_MEMBERS, FAMILY_POT, FAMILY_PRIORITY, MEMBERS
from drachm.domain.coverage.model import Member
from drachm.domain.funding.joining import of_age_on
from drachm.service.run import Running

HOURS: Final = 12
CLINIC: Final = "riverside-clinic"


@dataclass(frozen=True, slots=True)
class Persona:
    """Somebody whom a visitor can be."""

    name: str
    what: str
    role: str
    path: str
    """Where their pages begin."""
    member: str = ""
    parties: Sequence[str] = ()

    @property
    def staff(self) -> bool:
        return self.path.startswith("/desk")


PERSONAS: Final = (
    Persona("Ana", "a patient, who fills her family's pocket", "patient", "/my", member=FAMILY_HOLDER),
    Persona("Grandmother", "whose refills it pays; large type", "patient", "/my?size=large", member="demo-grandmother"),
    Persona("Noor", f"clerk of {CLINIC}", "clerk", "/desk", parties=(CLINIC,)),
    Persona("Iris", "operator: all parties, and the office", "operator", "/desk"),
)


def settle(service: Running, desk: Desk) -> None:
    """Let visitors be these people: each stands on the sign-in page, to be chosen without a word."""
    tenant = desk.books.tenant
    records, now = service.records(tenant), desk.clock.now()
    for persona in PERSONAS:
        token = service.person_token(persona.name, [persona.role], persona.parties, tenant=tenant, hours=HOURS)
        service.welcome(f"{persona.name}, {persona.what}", token, staff=persona.staff)
        if persona.member:
            subject, until = service.subject_of(persona.name), now + timedelta(hours=HOURS)
            name = f"rel_{persona.member.replace('-', '')}"
            allow(records, Tie(name, subject, persona.member, "self", now, until, allowed_by=subject))
    records.put([_profile(member) for member in MEMBERS])
    _keep_the_pocket(service, desk)


def _profile(member: Member) -> Record:
    """What somebody is called, as enrolment over the interface keeps it."""
    body = {"name": {"given": member.id.removeprefix("demo-").capitalize()}}
    return Record(PROFILE, member.id, body, members=frozenset({member.id}), terms=profile_terms(body))


def _keep_the_pocket(service: Running, desk: Desk) -> None:
    """That the family's pocket has a holder, and that those for whom it pays have said yes to it."""
    records, now = service.records(desk.books.tenant), desk.clock.now()
    holder = service.subject_of("Ana")
    said = {"family": "", "slices": FAMILY_POT.slices, "holder": FAMILY_HOLDER, "priority": FAMILY_PRIORITY}
    inside = frozenset({helper_of(FAMILY_POT.id), *FAMILY_MEMBERS})
    records.put([Record(WALLET, FAMILY_POT.id, said, 0, members=inside, author=holder, at=now)])
    born = {member.id: member.birth_date for member in MEMBERS}
    for member in FAMILY_MEMBERS:
        of_age = of_age_on(born[member], "", now.date())
        keep_membership(records, Membership(FAMILY_POT.id, member, True, now, False, of_age), holder, now)

"""On which terms may a shared pot pay for somebody: who is asked first, and until when without being asked?

An adult is asked before the pot pays, and says yes or no. A minor is admitted by whoever decides for the family, until
some days behind coming of age: by then the member has been asked. Nobody's care waits for an answer: what a pot does
not pay is due from own pockets.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from drachm.domain.coverage.ages import comes_of_age, is_minor
from drachm.domain.funding.quota import Terms

GRACE: Final = timedelta(days=30)
"""How long a pot pays on for whoever has come of age and was not heard yet. The payer is told no name meanwhile."""
ANSWER_WITHIN: Final = timedelta(days=14)
"""How long an invitation stands, where nobody says otherwise."""
ANSWER_AT_MOST: Final = timedelta(days=90)


def of_age_on(born: date | None, place: str, today: date) -> date | None:
    """The day on which a minor comes of age; None for who is none any more, or whose birth nobody wrote down."""
    return comes_of_age(born, place) if born is not None and is_minor(born, today, place) else None


def admitted(terms: Terms, of_age: date | None, private: tuple[str, ...]) -> Terms:
    """The terms as they hold for a member who has consented (`of_age` None), or who comes of age on that day."""
    return terms._replace(ended=False, until=of_age + GRACE if of_age is not None else None, private=private)

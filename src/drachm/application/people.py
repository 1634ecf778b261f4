"""Who is this person, and who resembles them? Profiles of members, found by what is known of them.

What the clearing line reads of a member stands in the register; names, identifiers and addresses are a record
`member_profile`, sealed under the member's own data key. It is found by keyed hashes of a few words
(`matching.blocking_terms`), so nobody can read a name out of the database, and no search reads everybody.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from drachm.application.merges import canonical
from drachm.application.records import Record, Records
from drachm.domain.coverage.matching import (
    LIKELY,
    Described,
    Found,
    Likeness,
    blocking_terms,
    find_one,
    likeness,
    name_words,
    said_terms,
)

PROFILE: Final = "member_profile"
CANDIDATES_MAX: Final = 300
"""Of those who share one word; a name and initial that more people share does not tell them apart."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two members who may be one person."""

    member: str
    other: str
    likeness: Likeness


def described(body: Mapping[str, Any]) -> Described:
    """A profile as it is compared."""
    name = body.get("name") or {}
    born = body.get("birth_date")
    return Described(
        name.get("family", ""),
        name.get("given", ""),
        date.fromisoformat(born) if born else None,
        body.get("sex", ""),
        frozenset((one["system"], one["value"]) for one in body.get("identifiers", ())),
    )


def profile_terms(body: Mapping[str, Any]) -> frozenset[str]:
    """The words under which a profile is found."""
    return blocking_terms(described(body))


def resembling(records: Records, person: Described, *, but: Collection[str] = ()) -> list[Pair]:
    """Members who may be this person, likeliest first; `member` is empty. Those merged into another are left out: the
    other is told instead."""
    found: dict[str, Likeness] = {}
    for profile in _candidates(records, person):
        alike = likeness(person, described(profile.body))
        id_ = canonical(records, profile.id)
        if alike.score >= LIKELY and id_ not in but and profile.id not in but:
            found[id_] = max(found.get(id_, alike), alike, key=lambda one: one.score)
    pairs = [Pair("", id_, alike) for id_, alike in found.items()]
    return sorted(pairs, key=lambda pair: (-pair.likeness.score, pair.other))


def match(records: Records, wanted: Described) -> Found:
    """The one member who fits, as they are known since the last merge."""
    people = [(canonical(records, one.id), described(one.body)) for one in _candidates(records, wanted)]
    return find_one(wanted, people)


def named(records: Records, text: str) -> list[str]:
    """Members whom a typed name may mean, as known since the last merge, in order of id; `CANDIDATES_MAX` at most."""
    found: set[str] = set()
    for term, letters in said_terms(text):
        for profile in records.find(PROFILE, limit=CANDIDATES_MAX, terms=[term]):
            given = name_words(described(profile.body).given)
            if given and given[0].startswith(letters):
                found.add(canonical(records, profile.id))
        if len(found) >= CANDIDATES_MAX:
            break
    return sorted(found)[:CANDIDATES_MAX]


def duplicates(records: Records, *, after: str = "", limit: int = 100) -> tuple[list[Pair], str]:
    """Pairs among whom a person should look: those of the next `limit` profiles with all others.

    Returns them with the id of the last profile looked at; empty when it was the last of all. Each pair is told once,
    and neither pairs that were merged nor those that somebody knows to be two people.
    """
    looked = records.find(PROFILE, after=after, limit=limit)
    pairs = []
    for profile in looked:
        distinct = set(profile.body.get("distinct", ()))
        for pair in resembling(records, described(profile.body), but={profile.id, *distinct}):
            other = records.get(PROFILE, pair.other)
            if profile.id < pair.other and not (other and profile.id in other.body.get("distinct", ())):
                pairs.append(Pair(profile.id, pair.other, pair.likeness))
    live = [pair for pair in pairs if canonical(records, pair.member) == pair.member]
    return live, looked[-1].id if len(looked) == limit else ""


def _candidates(records: Records, person: Described) -> Iterator[Record]:
    seen: set[str] = set()
    for term in sorted(blocking_terms(person)):
        for profile in records.find(PROFILE, limit=CANDIDATES_MAX, terms=[term]):
            if profile.id not in seen:
                seen.add(profile.id)
                yield profile

"""How does a page ask the interface, as the person who looks at it?

A page knows nothing that the interface would not tell: it asks the same operations with its person as caller.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec

from drachm.adapters.rest.identity.permit import Denied, reach_on
from drachm.adapters.rest.service.call import OPERATIONS, Call, Reply
from drachm.adapters.rest.service.shapes import misfit
from drachm.adapters.rest.service.trouble_words import Trouble, words_of
from drachm.adapters.rest.transport.problems import answer_of
from drachm.domain.errors import DrachmError, InvalidMessage

MOST: Final = 500
"""Of a list, for one page."""


class Spoken(InvalidMessage):
    """Something in a form that has to be mended, said by a page in the language that is spoken."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Somebody who asked for a page."""

    call: Call

    def ask(
        self,
        name: str,
        path: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        key: str = "",
    ) -> Any:
        """What the interface answers this person. Raises what it raises."""
        one = OPERATIONS[name]
        shape = None
        if one.body is not None:
            try:
                shape = msgspec.convert(body or {}, one.body, strict=True)
            except msgspec.ValidationError as error:
                raise misfit(error) from None
        value = one.handler(self.asking(name, path=path or {}, query=query or {}, body=shape, key=key))
        return value.value if isinstance(value, Reply) else value

    def ask_all(
        self,
        name: str,
        path: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        *,
        most: int = MOST,
    ) -> list[Any]:
        """A list of the interface, page after page, until `most` are here: its order is that of ids, so what a page of
        ours sorts by time must not be some page of it."""
        found: list[Any] = []
        asked = {**(query or {}), "limit": "100"}
        while len(found) < most:
            piece = self.ask(name, path, asked)
            found += piece.data
            if piece.next is None:
                break
            asked = {**asked, "cursor": piece.next}
        return found

    def asking(self, name: str, **changes: Any) -> Call:
        """This call as if it were another one."""
        plain: dict[str, Any] = {"path": {}, "query": {}, "body": None, "key": "", "form": {}, "fields": {}}
        return replace(self.call, operation=name, **{**plain, **changes})

    def may(self, name: str) -> bool:
        """Whether this person may do this to anything at all."""
        try:
            return bool(reach_on(name, self.call.caller, self.call.at))
        except Denied:
            return False


def trouble_of(error: DrachmError, call: Call, *fields: str) -> Trouble:
    """The words of a refusal in the language that is spoken; in English, as the interface would say them.

    `fields` are ids of the form's fields that have the names of the interface: one that is wrong is pointed to.
    """
    return words_of(msgspec.json.decode(answer_of(error, call.request_id).body), isinstance(error, Spoken), fields)

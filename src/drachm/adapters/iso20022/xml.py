"""How is a message of a bank read without letting it do anything?

No document type, no entities, bounded depth and size.
Names are read without their namespace: banks send the same message in several versions of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final
from xml.parsers import expat

from drachm.domain.errors import InvalidMessage

MAX_BYTES: Final = 64 * 1_048_576
MAX_DEPTH: Final = 64
SAVE_AS: Final = "Save the message as UTF-8 and declare that, or hand it in as text."


@dataclass(slots=True)
class Node:
    """One element."""

    name: str
    attributes: dict[str, str]
    text: str = ""
    children: list[Node] = field(default_factory=list)

    def all(self, path: str) -> Iterator[Node]:
        """The elements at a path of names below this one: ``Stmt/Ntry``."""
        name, _, rest = path.partition("/")
        for child in self.children:
            if child.name == name:
                yield from child.all(rest) if rest else (child,)

    def first(self, path: str) -> Node | None:
        """The first of them."""
        return next(self.all(path), None)

    def word(self, path: str) -> str:
        """The text of the first of them; empty when there is none."""
        found = self.first(path)
        return found.text.strip() if found is not None else ""


def read_xml(data: bytes | str, where: str) -> Node:
    """The document's element. Raises `InvalidMessage` for what is not XML, or more than that.

    Text is read as it stands, whatever encoding its declaration names: it was decoded by whoever hands it in.
    """
    if len(data) > MAX_BYTES:
        raise InvalidMessage(f"more than {MAX_BYTES} bytes", where=where, code="too_large")
    # expat takes a text's declaration for nothing only when it is told the encoding.
    parser = expat.ParserCreate("utf-8" if isinstance(data, str) else None, " ")
    root = Node("", {})
    path = [root]

    def start(name: str, attributes: dict[str, str]) -> None:
        if len(path) > MAX_DEPTH:
            raise InvalidMessage(f"elements lie deeper than {MAX_DEPTH}", where=where, code="too_deep")
        node = Node(name.rpartition(" ")[2], attributes)
        path[-1].children.append(node)
        path.append(node)

    def end(_name: str) -> None:
        path.pop()

    def text(words: str) -> None:
        path[-1].text += words

    def refuse(*_: Any) -> None:
        raise InvalidMessage("a document type is not taken", where=where, code="malformed_xml")

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler, parser.StartDoctypeDeclHandler = text, refuse
    parser.buffer_text = True
    try:
        parser.Parse(data.encode() if isinstance(data, str) else data, True)
    except expat.ExpatError as error:
        place = f"line {error.lineno}, column {error.offset}"
        raise InvalidMessage(f"not well-formed XML at {place}", where=where, code="malformed_xml") from None
    except (LookupError, ValueError):
        # Python's own codecs: an encoding they do not know, or one of several bytes a character.
        raise InvalidMessage(
            "the encoding that the XML declares is not read", where=where, next_step=SAVE_AS, code="malformed_xml"
        ) from None
    return root.children[0]

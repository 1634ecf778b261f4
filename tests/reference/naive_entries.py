"""What is in whose hands? Components as plain dictionaries, in the order in which steps took them."""

from __future__ import annotations


def add(book, key, amount):
    """Add to a dictionary that holds no zeros."""
    book[key] = book.get(key, 0) + amount
    if book[key] == 0:
        del book[key]


def an_entry(document_id, component, entry_class, amount, bearer="patient", step=""):
    entry = {"document": document_id, "component": component, "class": entry_class, "amount": amount}
    return entry | {"bearer": bearer, "step": step}


def takes_over(state, entry):
    """Is this component in the patient's hands one that the document takes over?"""
    if entry["class"] == "residue":
        return False
    if entry["document"] == "":
        return True
    names = state["document"].get("takes_over")
    return entry["class"] == "share" if names is None else entry["component"] in names


def lower(entries, amount):
    """Take `amount` out of the entries, last taken first; what did not fit."""
    for entry in reversed(entries):
        part = min(entry["amount"], amount)
        entry["amount"] -= part
        amount -= part
    return amount


def total(entries):
    return sum(entry["amount"] for entry in entries)


def own(state, names=None, entry_class=None):
    """The patient's entries of this document, perhaps of some names, perhaps of one class."""
    found = [entry for entry in state["entries"] if entry["bearer"] == "patient"]
    found = [entry for entry in found if names is None or entry["component"] in names]
    return [entry for entry in found if entry_class is None or entry["class"] == entry_class]


def total_of_shares(state):
    return total(own(state, entry_class="share"))


def excess_of(state):
    """Components of class excess, whoever bears them."""
    return total(entry for entry in state["entries"] if entry["class"] == "excess")

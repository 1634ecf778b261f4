"""What does it cost?"""

from drachm.domain.catalog.book import PriceBook
from drachm.domain.catalog.books import Books
from drachm.domain.catalog.context import AS_SUBMITTED, PriceContext
from drachm.domain.catalog.load import load_price_book
from drachm.domain.catalog.model import PricedEvent
from drachm.domain.catalog.pricing import find_item, price

__all__ = [
    "AS_SUBMITTED",
    "Books",
    "PriceBook",
    "PriceContext",
    "PricedEvent",
    "find_item",
    "load_price_book",
    "price",
]

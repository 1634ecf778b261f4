"""Which events show each recipe of the journal? Each story is run on fresh books; the words above it are printed."""

from __future__ import annotations

from care_stories import CARE
from payment_stories import PAYMENTS
from pocket_stories import POCKETS

STORIES = (*CARE, *PAYMENTS, *POCKETS)

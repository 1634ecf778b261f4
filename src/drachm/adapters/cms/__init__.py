"""The prices of Medicare (US), read from the files its agency publishes."""

from drachm.adapters.cms.read import MEDICARE, read_cms_2025

__all__ = ["MEDICARE", "read_cms_2025"]

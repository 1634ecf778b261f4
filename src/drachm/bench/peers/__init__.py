"""Peers beside Drachm: the same ledger posting through what others would use. Nothing here is part of the product.

`harness`, `hordak_ledger` and `naive_service` run in an environment of their own, with the peers' packages and without
ours; `side_by_side` installs that environment and runs them.
"""

"""How fast is Drachm on this machine, beside what everybody can run? The measuring instrument; it changes nothing.

The method stands in docs/reference/bench.md. Light to import: the peers' own environment imports `bench.peers` too.
"""

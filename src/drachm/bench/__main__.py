"""`python -m drachm.bench DESCRIPTOR` is one writer process of a measurement; `drachm bench` starts it."""

from __future__ import annotations

import sys

from drachm.bench.writer import main

if __name__ == "__main__":
    main(int(sys.argv[1]))

"""Which published adjudication results does the product reproduce?

Reads cases of the format described by `names.md`, states each as ordinary plan documents, lets the engine compute and
compares: `run(path)`, then `render` or `as_json`.
"""

from drachm.adapters.vectors.report import ConformanceReport, as_json, render
from drachm.adapters.vectors.run import run

__all__ = ["ConformanceReport", "as_json", "render", "run"]

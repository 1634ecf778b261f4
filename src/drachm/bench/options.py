"""What can be chosen about a measurement? Light to import, so that the command line starts fast."""

from __future__ import annotations

from dataclasses import dataclass

from drachm.domain.errors import InvalidMessage


@dataclass(frozen=True, slots=True)
class Options:
    """What can be chosen; every report repeats it."""

    families: int = 100_000
    events: int = 100_000
    """Of one round, all writers together."""
    rounds: int = 5
    writers: int = 2
    batch: int = 1_000
    seed: int = 1
    fill: int = 0
    """Events cleared before the first round."""
    from_json: bool = False
    pgbench_scale: int = 50
    pgbench_seconds: int = 10
    """0: pgbench does not run, and there is no ratio."""

    def checked(self) -> Options:
        """The same options. Raises `InvalidMessage` for those that cannot be measured."""
        least = {"families": 1, "events": 1, "rounds": 1, "writers": 1, "batch": 1, "pgbench_scale": 1}
        for name, value in least.items():
            if getattr(self, name) < value:
                raise InvalidMessage(f"{name} is at least {value}", where=f"--{name.replace('_', '-')}")
        if self.writers > min(self.families, 64):
            raise InvalidMessage("each writer needs a family of its own, and there are 64 shards", where="--writers")
        return self

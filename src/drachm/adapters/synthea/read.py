"""Read Synthea's exports, whatever their form, patient by patient.

`read_paths` takes files and folders: FHIR R4 as .json, .json.gz, .ndjson, .tar, .tar.gz, .tar.zst, or a folder of them;
CSV as a folder of .csv or .csv.gz. It never stops at a faulty file, entry, claim or row: each is a problem with its
place.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from drachm.adapters.jsonplace import fault
from drachm.adapters.synthea import files
from drachm.adapters.synthea.csv_read import is_csv_folder, is_part_of_csv, read_csv_folder
from drachm.adapters.synthea.fhir import read_record
from drachm.adapters.synthea.model import PatientBundle
from drachm.adapters.synthea.payors import PayorPlans
from drachm.adapters.synthea.record import Record, read_document
from drachm.domain.errors import InvalidMessage

UNPACK: Final = "Name files of FHIR JSON, or archives of them; unpack the tables of a CSV export and name their folder."


def read_paths(paths: Iterable[Path], payor_plans: PayorPlans | None = None) -> Iterator[PatientBundle]:
    """One `PatientBundle` a patient, in the order of the paths; memory is bounded by one document or one CSV folder.

    Loose resources (one a file or line, as in a bulk export) are gathered over the whole path before they are read.
    Bundles without patients and claims (Synthea's provider directories) give nothing; a file without any document is a
    problem. The caller merges the patients into one order of time: `sorted(events, key=lambda event: event.started_at)`
    keeps each patient's own order.
    """
    plans = payor_plans or PayorPlans.default()
    for path in paths:
        if not path.exists():
            yield _problem(fault("unreadable_file", "there is no such file or folder", path.name), path)
        elif path.is_dir():
            yield from _read_folder(path, plans)
        elif ".csv" in path.name.lower():
            refused = fault("wrong_file", "one table is not enough", path.name, "Name the folder with all .csv files.")
            yield _problem(refused, path)
        else:
            yield from _read_files([path], path, plans)


def _read_folder(folder: Path, plans: PayorPlans) -> Iterator[PatientBundle]:
    places = (folder, *sorted(p for p in folder.rglob("*") if p.is_dir()))
    tables = [place for place in places if is_csv_folder(place)]
    for place in tables:
        yield from read_csv_folder(place, plans.csv)
    for place in places:
        if place not in tables and is_part_of_csv(place):
            part = fault("missing_table", "some tables of a CSV export, not all", place.name, "Export all tables.")
            yield _problem(part, place)
    found = files.json_files(folder)
    if not tables and not found:
        yield _problem(fault("wrong_file", "the folder holds neither FHIR nor a full CSV export", folder.name), folder)
    yield from _read_files(found, folder, plans)


def _read_files(paths: Iterable[Path], origin: Path, plans: PayorPlans) -> Iterator[PatientBundle]:
    loose = Record(files.short_name(origin.name))
    for path in paths:
        empty = True
        for place, data in files.documents(path):
            empty = False
            try:
                if isinstance(data, InvalidMessage):
                    raise data
                record = read_document(data, place, loose)
            except InvalidMessage as problem:
                yield PatientBundle(None, (), (), (), (problem,), place)
                continue
            if record is not None:
                yield from read_record(record, plans.fhir)
        if empty:
            yield _problem(
                fault("wrong_file", "there is no JSON document in it", files.short_name(path.name), UNPACK), path
            )
    if loose:
        yield from read_record(loose, plans.fhir)


def _problem(problem: InvalidMessage, path: Path) -> PatientBundle:
    return PatientBundle(None, (), (), (), (problem,), files.short_name(path.name))

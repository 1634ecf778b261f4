"""Synthea's two exports (FHIR R4 bundles, CSV tables) read into members, coverages, parties and events."""

from drachm.adapters.synthea.model import PatientBundle
from drachm.adapters.synthea.payors import PayorPlans
from drachm.adapters.synthea.read import read_paths

__all__ = ["PatientBundle", "PayorPlans", "read_paths"]

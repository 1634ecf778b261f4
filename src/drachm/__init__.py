"""Drachm pays for each moment of care when it happens: priced, adjudicated, funded, posted, explained."""

__version__ = "0.1.0"

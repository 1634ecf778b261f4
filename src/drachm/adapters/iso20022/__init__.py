"""Messages of banks: ISO 20022."""

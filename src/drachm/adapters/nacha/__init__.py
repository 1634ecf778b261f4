"""Files of the ACH network of the United States."""

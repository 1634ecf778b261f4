"""WeChat Pay, API version 3: codes to scan, and mini-programs."""

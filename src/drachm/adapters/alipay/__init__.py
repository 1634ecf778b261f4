"""Alipay: its pages on a computer and a phone, and its mini-programs."""

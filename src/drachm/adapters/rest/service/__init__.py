"""The calls of API version 1: what each takes, does and answers."""

"""Orchestrations: deterministic generators, one story each."""

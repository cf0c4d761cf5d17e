"""Tests state facts; refusals before successes."""

"""Tests of the trees: torch is the oracle."""

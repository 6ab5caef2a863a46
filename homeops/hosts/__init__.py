"""Hosts over SSH: what must be true of them, how it is looked at, how it is repaired."""

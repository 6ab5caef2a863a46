"""Komodo's TOML: what its ResourceSync reads, with everything that it would say nothing about, and what we write."""

"""Secrets in SOPS files: the sops binary, who may read what, and what is wrong."""

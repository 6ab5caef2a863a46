"""Komodo's ResourceSync, run with open eyes: what it would do, what it must not do, and what came of its deploys."""

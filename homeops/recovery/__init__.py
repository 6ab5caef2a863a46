"""Bringing Core back without Core: its stack from the graph, with ssh, sops and docker compose alone."""

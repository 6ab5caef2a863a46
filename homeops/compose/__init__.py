"""The parts of compose files that homeops reasons about; `docker compose config` stays the judge of the whole."""

"""The Pulumi program of the homelab."""

from homeops.program import run

run("homeops.fleet")

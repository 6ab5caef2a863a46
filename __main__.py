"""The Pulumi program of the homelab."""

from homeops.fleet import declare
from homeops.program import run

run(declare)

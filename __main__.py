"""The Pulumi program of the homelab."""

from homeops.program import main

main()

"""The typed graph: what is declared. Pure data; no I/O, no Pulumi."""

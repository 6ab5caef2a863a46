"""The command line: ``homeops ...``, one module a group of commands."""

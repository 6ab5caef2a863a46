"""The hosts of a rehearsal as real machines: one container each, with a registry and a Git server beside them.

Everything that is made is named ``homeops-lab-<hash of the checkout's path>-*``, keeps its files in ``.lab/machines``,
and goes with ``down``; only the image that all of it runs stays.
"""

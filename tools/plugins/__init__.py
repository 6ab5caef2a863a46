"""Stand-ins for Pulumi's command and docker plugins, for machines that cannot download them.

Tokens, names and meanings of inputs are those of the official plugins (pulumi-command 1.2.1, pulumi-docker 5); the work
is done by OpenSSH and the docker command line. What a stand-in does not do it refuses by name.
"""

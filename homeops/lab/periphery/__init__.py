"""A stand-in for Komodo's Periphery, for hosts of the lab: from outside it is installed, set up and asked like it.

It takes Periphery's command line, configuration file and environment, makes the same key files and certificate, and
listens on the same port. What it is not: Core and a real Periphery speak over a websocket that a Noise handshake
encrypts and authenticates on both sides; this one takes JSON over HTTPS, and the caller only shows its public key, so
whoever knows that key can give it commands. It dials no Core, and has no terminals, passkeys or secrets of its own.

It is Python 3.11's standard library alone, and runs as one executable file (``release``). The programs that it starts
are bash, docker and openssl.
"""

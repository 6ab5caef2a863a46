"""Driving Komodo Core: the client, what Core has, and the Pulumi resources that make it what is declared."""

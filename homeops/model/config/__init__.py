"""The configuration of each Komodo kind, field by field as Komodo 2.3.2 has it."""

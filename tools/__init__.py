"""How the command line tools are had: pinned versions, and what brings them into .tools/."""

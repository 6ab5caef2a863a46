"""The rehearsal fleet: a simulated Komodo Core on this machine."""

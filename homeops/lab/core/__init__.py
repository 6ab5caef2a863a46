"""A simulated Komodo Core 2.3.2: state and rules apart from HTTP, held to recorded conversations with a real one."""

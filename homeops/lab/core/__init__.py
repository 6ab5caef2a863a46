"""A simulated Komodo Core 2.3.2: state and rules apart from HTTP, held to recorded conversations with a real one.

The way of a request: a door (``homeops.lab.http``) hands it to ``core.Core.answer``; ``routes`` knows the paths and
asks ``auth`` who calls and ``faults`` what goes wrong; ``decode`` reads the body, letter by letter (``json_scan``,
``json_text``), into what the request takes (``requests``, ``config_schema``, by way of ``schema`` and
``komodo_types``); ``dispatch`` finds the function that answers it.

``parts`` lists the modules that answer requests. Each registers its functions with ``@answers(route, request)`` and
sees parameters in canonical form; what it refuses it raises as a ``refusal.Refusal``. ``state`` is all that is stored.
"""

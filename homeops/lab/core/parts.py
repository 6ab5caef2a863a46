"""The parts of the simulated Core. Importing this module registers every answer that they give."""

from homeops.lab.core import (
    information as information,
)
from homeops.lab.core import (
    users as users,
)

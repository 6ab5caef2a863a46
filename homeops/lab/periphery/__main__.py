"""``python -m homeops.lab.periphery`` and the start of a release."""

import sys

from homeops.lab.periphery.program import main

sys.exit(main())

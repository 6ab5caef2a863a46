"""What a machine says of itself: cores, memory, disks."""

import os
import shutil
import time
from pathlib import Path
from typing import Any

_GB = 1024**3


def machine() -> dict[str, Any]:
    """``core_count`` and ``stats`` as Periphery answers them; network traffic is not measured."""
    one, five, fifteen = os.getloadavg()
    memory = _memory()
    total, free = memory["MemTotal"] / _GB, memory["MemAvailable"] / _GB
    disk = shutil.disk_usage("/")
    now = int(time.time() * 1000)
    cores = os.cpu_count() or 1
    stats = {
        "cpu_perc": round(min(100.0, 100 * one / cores), 2),
        "load_average": {"one": one, "five": five, "fifteen": fifteen},
        "mem_free_gb": round(free, 3),
        "mem_used_gb": round(total - free, 3),
        "mem_total_gb": round(total, 3),
        "disks": [
            {
                "mount": "/",
                "file_system": "",
                "used_gb": round(disk.used / _GB, 3),
                "total_gb": round(disk.total / _GB, 3),
            }
        ],
        "network_ingress_bytes": 0.0,
        "network_egress_bytes": 0.0,
        "polling_rate": "5-sec",
        "refresh_ts": now,
        "refresh_list_ts": now,
    }
    return {"core_count": cores, "stats": stats}


def _memory() -> dict[str, int]:
    """Bytes by the names of /proc/meminfo."""
    lines = (line.split() for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines())
    return {words[0].rstrip(":"): int(words[1]) * 1024 for words in lines}

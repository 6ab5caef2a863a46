"""The program ``periphery``."""

import argparse
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from homeops.lab.periphery.keys import KeyProblem, core_keys, have_certificate, own_public_key
from homeops.lab.periphery.server import Listener, Service
from homeops.lab.periphery.settings import SettingsError, load_settings
from homeops.lab.periphery.version import VERSION


def main(arguments: Sequence[str] | None = None) -> int:
    """Be Periphery until SIGTERM or SIGINT; 1 when that cannot be."""
    parser = argparse.ArgumentParser("periphery", allow_abbrev=False, description="A stand-in for Komodo's Periphery.")
    parser.add_argument("-V", "--version", action="version", version=f"periphery {VERSION}")
    parser.add_argument("-c", "--config-path", action="append", type=Path, default=[], metavar="PATH")
    given = parser.parse_args(arguments)
    try:
        settings = load_settings(given.config_path, os.environ)
        public_key = own_public_key(settings.private_key)
        known = core_keys(settings.core_public_keys)
        for directory in (settings.stack_dir, settings.repo_dir, settings.build_dir):
            directory.mkdir(parents=True, exist_ok=True)
        if settings.ssl_enabled:
            have_certificate(settings.ssl_key_file, settings.ssl_cert_file)
        listener = Listener(Service(settings, public_key, known))
    except (SettingsError, KeyProblem, OSError) as reason:
        print(f"ERROR periphery: {reason}", file=sys.stderr, flush=True)
        return 1
    scheme = "https" if settings.ssl_enabled else "http"
    print(f"INFO Komodo Periphery (stand-in) version: v{VERSION}")
    print(f"INFO Public Key: {public_key}")
    if not known:
        print("WARN core_public_keys: none, so everybody may give commands")
    print(f"INFO listening on {scheme}://{settings.bind_ip}:{settings.port}", flush=True)
    ending = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        ending.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    threading.Thread(target=listener.serve_forever, daemon=True).start()
    ending.wait()
    return 0

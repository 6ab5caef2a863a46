"""Where Core reaches Periphery: TLS on port 8120, ``GET /version`` for all, ``POST /`` for a Core that is known."""

import json
import socket
import ssl
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import IPv6Address, ip_address
from typing import Any, cast

from homeops.lab.periphery import commands, load
from homeops.lab.periphery.files import Files, OutsideError
from homeops.lab.periphery.keys import KeyProblem, core_keys, rotated_public_key, take_core_key
from homeops.lab.periphery.settings import Settings
from homeops.lab.periphery.version import VERSION

CORE_KEY = "X-Core-Public-Key"
"""The header in which Core shows its public key."""

PATIENCE_SECONDS = 10
"""How long a caller may say nothing."""


class Service:
    """What is done for Core: ``{"type": REQUEST, "params": {...}}`` in, a JSON document out."""

    def __init__(self, settings: Settings, public_key: str, known: frozenset[str]) -> None:
        self.settings = settings
        self.known = known
        self._public_key = public_key
        files = Files(settings)
        self._requests: dict[str, Callable[..., Any]] = {
            "Information": self._information,
            "Rotate": self._rotate,
            "TakeCoreKey": self._take_core_key,
            "Run": commands.run,
            "Containers": commands.containers,
            "Container": commands.container,
            "Projects": commands.projects,
            "Look": files.look,
            "Read": files.read,
            "Write": files.write,
            "Make": files.make,
            "Remove": files.remove,
            "Rename": files.rename,
        }

    def answer(self, document: dict[str, Any]) -> tuple[HTTPStatus, Any]:
        """Do what is asked; a refusal is ``{"error": TEXT}``."""
        request = self._requests.get(document.get("type", ""))
        if request is None:
            return HTTPStatus.BAD_REQUEST, {"error": f"type: no request {document.get('type')!r}"}
        try:
            return HTTPStatus.OK, request(**document.get("params", {}))
        except OutsideError as reason:
            return HTTPStatus.FORBIDDEN, {"error": str(reason)}
        except KeyProblem as reason:
            return HTTPStatus.INTERNAL_SERVER_ERROR, {"error": str(reason)}
        except OSError as reason:
            return HTTPStatus.INTERNAL_SERVER_ERROR, {"error": f"{reason.strerror} (os error {reason.errno})"}
        except TypeError as reason:
            return HTTPStatus.BAD_REQUEST, {"error": f"params: {reason}"}

    def _rotate(self) -> dict[str, Any]:
        self._public_key = rotated_public_key(self.settings.private_key)
        return {"public_key": self._public_key}

    def _take_core_key(self, public_key: str) -> dict[str, Any]:
        """Komodo's way: a key that stands in the settings themselves stays the one (bin/periphery/src/api/keys.rs)."""
        take_core_key(self.settings.core_public_keys, public_key)
        self.known = core_keys(self.settings.core_public_keys)
        return {}

    def _information(self) -> dict[str, Any]:
        settings = self.settings
        return {
            "version": VERSION,
            "public_key": self._public_key,
            "directories": {
                "stacks": str(settings.stack_dir),
                "repos": str(settings.repo_dir),
                "builds": str(settings.build_dir),
                "root": str(settings.root_directory),
            },
            **load.machine(),
        }


class Listener(ThreadingHTTPServer):
    """The open port. Each caller has a thread, and its handshake holds up nobody else."""

    daemon_threads = True

    def __init__(self, service: Service) -> None:
        self.service = service
        settings = service.settings
        host = settings.bind_ip.strip("[]")
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, settings.port), _Handler)
        if settings.ssl_enabled:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(settings.ssl_cert_file, settings.ssl_key_file)
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def server_bind(self) -> None:
        """Take callers of both IP versions where the address is that of all."""
        if self.address_family == socket.AF_INET6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        super().server_bind()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that hung up or spoke no TLS is no matter of this program's."""


class _Handler(BaseHTTPRequestHandler):
    server: Listener  # pyright: ignore[reportIncompatibleVariableOverride] - only a Listener makes one
    server_version = f"periphery/{VERSION}"
    timeout = PATIENCE_SECONDS

    def do_GET(self) -> None:
        if not self._allowed():
            return
        if self.path != "/version":
            self._say(HTTPStatus.NOT_FOUND, {"error": "there is nothing here"})
            return
        self._send(HTTPStatus.OK, "text/plain", VERSION.encode())

    def do_POST(self) -> None:
        known = self.server.service.known
        # Read in any case: whoever is refused in the middle of a request hears no answer.
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if not self._allowed():
            return
        if known and self.headers.get(CORE_KEY, "") not in known:
            self._say(HTTPStatus.UNAUTHORIZED, {"error": "Core's public key is not among core_public_keys"})
            return
        try:
            document = json.loads(body)
        except ValueError as reason:
            self._say(HTTPStatus.BAD_REQUEST, {"error": f"not JSON: {reason}"})
            return
        if not isinstance(document, dict):
            self._say(HTTPStatus.BAD_REQUEST, {"error": "not a JSON object"})
            return
        self._say(*self.server.service.answer(cast(dict[str, Any], document)))

    def _allowed(self) -> bool:
        networks = self.server.service.settings.allowed_ips
        caller = ip_address(self.client_address[0])
        if isinstance(caller, IPv6Address) and caller.ipv4_mapped:
            caller = caller.ipv4_mapped
        if not networks or any(caller in network for network in networks):
            return True
        self._say(HTTPStatus.UNAUTHORIZED, {"error": f"{caller} is not among allowed_ips"})
        return False

    def _say(self, status: HTTPStatus, document: Any) -> None:
        self._send(status, "application/json", json.dumps(document).encode())

    def _send(self, status: HTTPStatus, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is that of the class above
        """Nothing is logged: a request may hold secrets."""

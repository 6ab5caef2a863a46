"""A Git server: ``git http-backend`` behind TLS, and files to download beside it, as those of releases are.

Runs by itself in a container and uses nothing but Python's library. Takes the directories of the bare repositories and
of the files, a certificate and its key. Nobody can push.
"""

import http.server
import shutil
import ssl
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

PATIENCE_SECONDS = 60


class Handler(http.server.BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    timeout = PATIENCE_SECONDS
    repositories: Path
    downloads: Path

    def do_GET(self) -> None:
        """A file, or what ``git clone`` asks first."""
        file = (self.downloads / unquote(urlsplit(self.path).path).lstrip("/")).resolve()
        if not file.is_file() or not file.is_relative_to(self.downloads.resolve()):
            self._answer(b"")
            return
        with file.open("rb") as stream:
            self.send_response(200)
            self.send_header("Content-Type", "application/octet-stream")
            self.send_header("Content-Length", str(file.stat().st_size))
            self.end_headers()
            shutil.copyfileobj(stream, self.wfile)

    def do_POST(self) -> None:
        """What it asks then."""
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            body = b""
            while size := int(self.rfile.readline().partition(b";")[0], 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self._answer(body)

    def _answer(self, body: bytes) -> None:
        parts = urlsplit(self.path)
        # Not every bare repository of the lab ends in .git, and not every address does.
        repository, found, service = unquote(parts.path).partition("/info/refs")
        if not found:
            repository, _, service = unquote(parts.path).rpartition("/")
            service = f"/{service}"
        name = repository.strip("/").removesuffix(".git")
        place = next((name for name in (name, f"{name}.git") if (self.repositories / name / "HEAD").is_file()), name)
        environ = {
            "PATH": "/usr/bin:/bin",
            "GIT_PROJECT_ROOT": str(self.repositories),
            "GIT_HTTP_EXPORT_ALL": "1",
            # The repositories are those of whoever runs the lab.
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "safe.directory",
            "GIT_CONFIG_VALUE_0": "*",
            "PATH_INFO": f"/{place}{found}{service}",
            "QUERY_STRING": parts.query,
            "REQUEST_METHOD": self.command,
            "REMOTE_ADDR": self.client_address[0],
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }
        done = subprocess.run(["git", "http-backend"], env=environ, input=body, stdout=subprocess.PIPE, check=False)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = [line.decode().partition(": ") for line in head.split(b"\r\n") if line]
        status = next((int(value.split()[0]) for key, _, value in headers if key.lower() == "status"), 200)
        self.send_response(status if head else 500)
        for key, _, value in headers:
            if key.lower() not in ("status", "content-length"):
                self.send_header(key, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def main(repositories: str, downloads: str, certificate: str, key: str, port: str = "443") -> None:
    """Serve until ended."""
    Handler.repositories, Handler.downloads = Path(repositories), Path(downloads)
    server = http.server.ThreadingHTTPServer(("", int(port)), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    # The handshake is for the thread of the connection: a client that says nothing holds up no other.
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])

# The names and arguments are those of the protocol.
# ruff: noqa: N802, ARG002
"""A provider plugin: Pulumi's protocol on one side, plain dictionaries on the other."""

import os
import sys
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol, TypeVar

import grpc
from google.protobuf.empty_pb2 import Empty
from google.protobuf.json_format import MessageToDict
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, plugin_pb2, provider_pb2, provider_pb2_grpc

Props = dict[str, Any]
Tell = Callable[[str], None]
T = TypeVar("T")

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""What stands for a value that a preview does not know (sdk/go/common/resource/plugin/rpc.go)."""

_SIZES = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]


class Failed(Exception):  # noqa: N818 - named for what happened
    """Raised when an operation failed; the text is shown."""


class Kind(Protocol):
    """What is done with the resources of one token. ``tell`` takes lines for whoever watches."""

    inputs: frozenset[str]
    """Every input that is understood."""

    def wrong(self, news: Props) -> list[tuple[str, str]]:
        """What is wrong with the inputs: the property and the reason."""
        ...

    def replaces(self, changed: Sequence[str], news: Props) -> Sequence[str]:
        """Those of the changed inputs that need another resource."""
        ...

    def create(self, news: Props, tell: Tell) -> tuple[str, Props]:
        """Make it: its id, empty where any will do, and its outputs."""
        ...

    def update(self, olds: Props, news: Props, tell: Tell) -> Props:
        """Change it: the new outputs."""
        ...

    def read(self, outputs: Props) -> Props | None:
        """As it is now; None when it is gone."""
        ...

    def delete(self, outputs: Props, tell: Tell) -> None:
        """Remove it."""
        ...


class Plugin(provider_pb2_grpc.ResourceProviderServicer):
    """Serves the kinds of one provider; ``configure`` takes the provider's own inputs."""

    def __init__(
        self, version: str, kinds: Mapping[str, Kind], configure: Callable[[Props], None], engine: str
    ) -> None:
        self._version = version
        self._kinds = kinds
        self._configure = configure
        self._engine: Any = (
            engine_pb2_grpc.EngineStub(grpc.insecure_channel(engine, options=_SIZES)) if engine else None
        )

    def GetPluginInfo(self, request: Any, context: Any) -> plugin_pb2.PluginInfo:
        """The version that is stood in for."""
        return plugin_pb2.PluginInfo(version=self._version)

    def CheckConfig(self, request: Any, context: Any) -> provider_pb2.CheckResponse:
        """Whatever there is."""
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: Any) -> provider_pb2.DiffResponse:
        """Another configuration needs no other resources."""
        return _difference(_changed(_dict(request.olds), _dict(request.news)), ())

    def Configure(self, request: Any, context: Any) -> provider_pb2.ConfigureResponse:
        """Note the configuration."""
        _done(context, lambda: self._configure(_dict(request.args)))
        # Secrets come in plain and are marked again by the engine, by the names of the inputs.
        return provider_pb2.ConfigureResponse(acceptSecrets=False, supportsPreview=False, acceptResources=False)

    def Check(self, request: Any, context: Any) -> provider_pb2.CheckResponse:
        """The inputs as they are, with what is wrong with them."""
        news, kind = _dict(request.news), _done(context, lambda: self._kind(request.urn))
        wrong = [(name, "the stand-in plugin does not know it") for name in sorted(news.keys() - kind.inputs)]
        failures = [
            provider_pb2.CheckFailure(property=name, reason=reason) for name, reason in [*wrong, *kind.wrong(news)]
        ]
        return provider_pb2.CheckResponse(inputs=request.news, failures=failures)

    def Diff(self, request: Any, context: Any) -> provider_pb2.DiffResponse:
        """The inputs that differ."""
        news = _dict(request.news)
        changed = _changed(_dict(request.old_inputs), news)
        return _difference(changed, self._kind(request.urn).replaces(changed, news))

    def Create(self, request: Any, context: Any) -> provider_pb2.CreateResponse:
        """Make it."""
        news = _dict(request.properties)
        id_, outputs = _done(context, lambda: self._kind(request.urn).create(news, self._tell(request.urn)))
        return provider_pb2.CreateResponse(id=id_ or uuid.uuid4().hex, properties=_struct(outputs))

    def Read(self, request: Any, context: Any) -> provider_pb2.ReadResponse:
        """As it is; gone is an empty answer."""
        outputs = _done(context, lambda: self._kind(request.urn).read(_dict(request.properties)))
        if outputs is None:
            return provider_pb2.ReadResponse()
        return provider_pb2.ReadResponse(id=request.id, properties=_struct(outputs), inputs=request.inputs)

    def Update(self, request: Any, context: Any) -> provider_pb2.UpdateResponse:
        """Change it."""
        olds, news = _dict(request.olds), _dict(request.news)
        outputs = _done(context, lambda: self._kind(request.urn).update(olds, news, self._tell(request.urn)))
        return provider_pb2.UpdateResponse(properties=_struct(outputs))

    def Delete(self, request: Any, context: Any) -> Empty:
        """Remove it."""
        outputs = _dict(request.properties)
        _done(context, lambda: self._kind(request.urn).delete(outputs, self._tell(request.urn)))
        return Empty()

    def Cancel(self, request: Any, context: Any) -> Empty:
        """As the official plugins: what runs is waited for."""
        return Empty()

    def _kind(self, urn: str) -> Kind:
        token = urn.rsplit("::", 2)[1].rsplit("$", 1)[-1]
        if token not in self._kinds:
            raise Failed(f"{token}: the stand-in plugin does not know it")
        return self._kinds[token]

    def _tell(self, urn: str) -> Tell:
        def tell(text: str) -> None:
            if self._engine is not None:
                severity = engine_pb2.LogSeverity.INFO
                self._engine.Log(engine_pb2.LogRequest(severity=severity, message=text, urn=urn))

        return tell


def serve(version: str, kinds: Mapping[str, Kind], configure: Callable[[Props], None]) -> None:
    """Serve until Pulumi ends, or ends this process; its first line says at which port."""
    engine = sys.argv[1] if len(sys.argv) > 1 else ""
    server = grpc.server(ThreadPoolExecutor(64), options=_SIZES)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Plugin(version, kinds, configure, engine), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    pulumi = os.getppid()
    while os.getppid() == pulumi:
        time.sleep(0.5)


def _done(context: Any, work: Callable[[], T]) -> T:
    try:
        return work()
    except Failed as error:
        context.abort(grpc.StatusCode.UNKNOWN, str(error))
        raise


def _changed(olds: Props, news: Props) -> list[str]:
    return sorted(name for name in olds.keys() | news.keys() if olds.get(name) != news.get(name))


def _difference(changed: Sequence[str], replaces: Sequence[str]) -> provider_pb2.DiffResponse:
    kinds = provider_pb2.PropertyDiff
    return provider_pb2.DiffResponse(
        changes=provider_pb2.DiffResponse.DIFF_SOME if changed else provider_pb2.DiffResponse.DIFF_NONE,
        diffs=changed,
        replaces=replaces,
        detailedDiff={
            name: kinds(kind=kinds.UPDATE_REPLACE if name in replaces else kinds.UPDATE, inputDiff=True)
            for name in changed
        },
        hasDetailedDiff=True,
    )


def _dict(struct: Struct) -> Props:
    return MessageToDict(struct)


def _struct(props: Props) -> Struct:
    struct = Struct()
    struct.update({name: value for name, value in props.items() if value is not None})
    return struct

"""Accounts of git providers and image registries (api/write/provider.rs, api/read/provider.rs)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from homeops.lab.core.dispatch import answers
from homeops.lab.core.executions_logs import log
from homeops.lab.core.json_copy import copied
from homeops.lab.core.references import object_id
from homeops.lab.core.refusal import Refusal
from homeops.lab.core.state import Document
from homeops.lab.core.update_documents import SYSTEM_TARGET, finish, new_update

if TYPE_CHECKING:
    from homeops.lab.core.core import Core


@dataclass(frozen=True, slots=True)
class Accounts:
    """One of the two kinds of accounts, and the many ways in which Core calls it.

    ``read`` and ``written``: in refusals of reads and writes. ``named``: in Updates and texts about the database.
    ``empty``: in refusals of empty fields. ``deleted``: in the log of a deletion. ``operation``: of Updates.
    """

    request: str
    collection: str
    defaults: Document
    read: str
    found: str
    written: tuple[str, str, str]
    named: str
    logged: str
    empty: str
    deleted: str
    operation: str

    def all(self, core: "Core") -> dict[str, Document]:
        """The stored accounts."""
        return getattr(core.state, self.collection)


_GIT = Accounts(
    request="GitProviderAccount",
    collection="git_accounts",
    defaults={"domain": "github.com", "https": True, "username": "", "token": ""},
    read="git provider accounts",
    found="git provider account",
    written=("git provider accounts", "git provider accounts", "git provider accounts"),
    named="git provider account",
    logged="git provider account",
    empty="git provider",
    deleted="git provider account",
    operation="GitProviderAccount",
)
_REGISTRY = Accounts(
    request="ImageRegistryAccount",
    collection="registry_accounts",
    defaults={"domain": "docker.io", "username": "", "token": ""},
    read="docker registry accounts",
    found="docker registry account",
    written=("docker registry account accounts", "docker registry accounts", "docker registry accounts"),
    named="docker registry account account",
    logged="docker registry account",
    empty="docker registry account",
    deleted="registry account",
    operation="DockerRegistryAccount",
)


def _register(kind: Accounts) -> None:
    answers("read", f"Get{kind.request}")(lambda core, caller, params: _get(kind, core, caller, params))
    answers("read", f"List{kind.request}s")(lambda core, caller, params: _list(kind, core, caller, params))
    answers("write", f"Create{kind.request}")(lambda core, caller, params: _create(kind, core, caller, params))
    answers("write", f"Update{kind.request}")(lambda core, caller, params: _update(kind, core, caller, params))
    answers("write", f"Delete{kind.request}")(lambda core, caller, params: _delete(kind, core, caller, params))


def _may_read(kind: Accounts, caller: Document) -> None:
    if not caller["admin"]:
        raise Refusal(f"Only admins can read {kind.read}")


def _may_write(kind: Accounts, caller: Document, verb: str) -> None:
    if not caller["admin"]:
        word = kind.written[("create", "update", "delete").index(verb)]
        raise Refusal(f"Only admins can {verb} {word}", status=403)


def _get(kind: Accounts, core: "Core", caller: Document, params: Document) -> Any:
    _may_read(kind, caller)
    failed = f"failed to query db for {kind.read}"
    account = kind.all(core).get(object_id(params["id"], error=failed, trace=("id is not ObjectId",)))
    if account is None:
        raise Refusal(f"did not find {kind.found} with the given id")
    return copied(account)


def _list(kind: Accounts, core: "Core", caller: Document, params: Document) -> Any:
    _may_read(kind, caller)
    wanted = {name: params[name] for name in ("domain", "username") if params[name] is not None}
    found = [account for account in kind.all(core).values() if wanted.items() <= account.items()]
    return copied(sorted(found, key=lambda account: (account["domain"], account["username"])))


def _taken(kind: Accounts, core: "Core", account: Document) -> bool:
    place = (account["domain"], account["username"])
    others = (other for other in kind.all(core).values() if other["_id"] != account["_id"])
    return any((other["domain"], other["username"]) == place for other in others)


def _duplicate(account: Document) -> str:
    return f"Kind: E11000 duplicate key error: {account['domain']} {account['username']}"


def _create(kind: Accounts, core: "Core", caller: Document, params: Document) -> Any:
    _may_write(kind, caller, "create")
    sent = {name: value for name, value in params["account"].items() if name in kind.defaults}
    fields = kind.defaults | sent
    for name in ("domain", "username"):
        if not fields[name]:
            raise Refusal(f"{name.capitalize()} cannot be empty string.", status=400)
    account = {"_id": {"$oid": core.state.new_id()}, **fields}
    if _taken(kind, core, account):
        raise Refusal(f"Failed to create {kind.named} on db", [_duplicate(account)])
    kind.all(core)[account["_id"]["$oid"]] = account
    told = f"Created {kind.named} for {account['domain']} with username {account['username']}"
    _record(core, caller, f"Create{kind.operation}", f"Create {kind.logged}", told)
    return copied(account)


def _update(kind: Accounts, core: "Core", caller: Document, params: Document) -> Any:
    _may_write(kind, caller, "update")
    sent = {name: value for name, value in params["account"].items() if name in kind.defaults}
    for name in ("domain", "username"):
        if sent.get(name) == "":
            raise Refusal(f"Cannot update {kind.empty} with empty {name}", status=400)
    failed = f"Failed to update {kind.named} on db"
    account = kind.all(core).get(object_id(params["id"], error=failed, trace=("id is not valid ObjectId",)))
    if account is None:
        raise Refusal("No account found with given id")
    if _taken(kind, core, account | sent):
        raise Refusal(failed, ["failed at mongo update_one", _duplicate(account | sent)])
    account |= sent
    told = f"Updated {kind.named} for {account['domain']} with username {account['username']}"
    _record(core, caller, f"Update{kind.operation}", f"Update {kind.logged}", told)
    return copied(account)


def _delete(kind: Accounts, core: "Core", caller: Document, params: Document) -> Any:
    _may_write(kind, caller, "delete")
    # Core says this of registry accounts too.
    failed = "Failed to query db for git accounts"
    account = kind.all(core).pop(object_id(params["id"], error=failed, trace=("id is not ObjectId",)), None)
    if account is None:
        raise Refusal("No account found with given id", status=400)
    told = f"Deleted {kind.deleted} for {account['domain']} with username {account['username']}"
    # Core records a deletion as an update.
    _record(core, caller, f"Update{kind.operation}", f"Delete {kind.deleted}", told)
    return account


def _record(core: "Core", caller: Document, operation: str, stage: str, told: str) -> None:
    update = new_update(core, operation, SYSTEM_TARGET, caller["_id"]["$oid"])
    update["logs"].append(log(stage, stdout=told))
    finish(core, update)


for _kind in (_GIT, _REGISTRY):
    _register(_kind)

"""Users, groups and permissions of the simulated Core, beyond what recordings show."""

from typing import Any

import pytest

from homeops.lab.core.core import Core
from homeops.lab.core.permissions import grant_on, readable_ids
from homeops.lab.core.refusal import Refusal
from homeops.lab.core.settings import Settings
from homeops.lab.core.state import Document


class People:
    """A Core with an admin and a robot."""

    def __init__(self, **settings: Any) -> None:
        self.core = Core(Settings(**settings))
        self.admin = next(iter(self.core.state.users.values()))
        self.write("CreateServiceUser", username="robot", description="")
        self.robot = next(user for user in self.core.state.users.values() if user["username"] == "robot")

    def write(self, request: str, /, by: Document | None = None, **params: Any) -> Any:
        return self.core.call("write", request, by or self.admin, params)

    def give(self, holder: str, name: str, kind: str, target: str, level: str, *specific: str) -> None:
        self.write(
            "UpdatePermissionOnTarget",
            user_target={"type": holder, "id": name},
            resource_target={"type": kind, "id": target},
            permission={"level": level, "specific": list(specific)},
        )

    def identifier(self, kind: str, name: str) -> str:
        documents = self.core.state.resources[kind].items()
        return next(key for key, document in documents if document["name"] == name)


@pytest.fixture
def people() -> People:
    people = People()
    people.write("CreateServer", name="nvr", config={}, public_key=None)
    people.write("CreateStack", name="web", config={"server_id": "nvr"})
    people.write("CreateStack", name="db", config={})
    return people


def test_permissions_of_groups_and_of_oneself_add_up(people: People) -> None:
    people.write("CreateUserGroup", name="ops")
    people.write("AddUserToUserGroup", user_group="ops", user="robot")
    people.give("UserGroup", "ops", "Stack", "web", "Execute", "Logs")
    people.give("User", "robot", "Stack", "web", "Read", "Inspect")
    grant = grant_on(people.core, people.robot, "Stack", people.identifier("Stack", "web"))
    assert (grant.level, set(grant.specific)) == ("Execute", {"Logs", "Inspect"})


def test_a_group_of_everyone_gives_to_whoever_is_no_member(people: People) -> None:
    people.write("CreateUserGroup", name="all")
    people.write("SetEveryoneUserGroup", user_group="all", everyone=True)
    target = {"type": "UserGroup", "id": "all"}
    permission: Any = {"level": "Read", "specific": []}
    people.write("UpdatePermissionOnResourceType", user_target=target, resource_type="Stack", permission=permission)
    assert readable_ids(people.core, people.robot, "Stack") == set(people.core.state.resources["Stack"])
    assert readable_ids(people.core, people.robot, "Server") == set()


def test_a_stack_takes_specific_permissions_from_its_server_but_no_level(people: People) -> None:
    people.give("User", "robot", "Server", "nvr", "Write", "Logs", "Terminal")
    grant = grant_on(people.core, people.robot, "Stack", people.identifier("Stack", "web"))
    assert (grant.level, set(grant.specific)) == ("None", {"Logs", "Terminal"})
    assert grant_on(people.core, people.robot, "Stack", people.identifier("Stack", "db")).specific == []


def test_in_transparent_mode_everybody_reads() -> None:
    people = People(transparent_mode=True)
    people.write("CreateStack", name="web", config={})
    web = people.identifier("Stack", "web")
    assert grant_on(people.core, people.robot, "Stack", web).level == "Read"


def test_a_deleted_user_leaves_the_groups(people: People) -> None:
    people.write("CreateUserGroup", name="ops")
    people.write("SetUsersInUserGroup", user_group="ops", users=["robot"])
    people.write("DeleteUser", user="robot")
    assert next(iter(people.core.state.user_groups.values()))["users"] == []


def test_who_is_a_plain_admin_cannot_change_another_admin(people: People) -> None:
    people.write("CreateServiceUser", username="other", description="")
    other = next(user for user in people.core.state.users.values() if user["username"] == "other")
    for user in (people.robot, other):
        people.write("UpdateUserAdmin", user_id=user["_id"]["$oid"], admin=True)
    with pytest.raises(Refusal, match="Only a Super Admin can delete an admin user"):
        people.write("DeleteUser", by=people.robot, user="other")
    with pytest.raises(Refusal, match="Only super admins can call this method"):
        people.write("UpdateUserAdmin", by=people.robot, user_id=other["_id"]["$oid"], admin=False)


def test_locked_credentials_stay_as_they_are() -> None:
    people = People(lock_login_credentials_for=("admin",))
    with pytest.raises(Refusal, match="locked") as caught:
        people.core.call("manage", "UpdatePassword", people.admin, {"password": "new"})
    assert caught.value.status == 401


def test_what_was_viewed_last_comes_first_and_ten_are_kept(people: People) -> None:
    for number in [*range(12), 5]:
        people.write("PushRecentlyViewed", resource={"type": "Stack", "id": str(number)})
    assert people.admin["recents"]["Stack"] == ["5", "11", "10", "9", "8", "7", "6", "4", "3", "2"]


def test_registry_accounts_are_told_of_in_komodos_words(people: People) -> None:
    account = people.write("CreateImageRegistryAccount", account={"username": "u"})
    assert account["domain"] == "docker.io"
    with pytest.raises(Refusal, match="Failed to create docker registry account account on db"):
        people.write("CreateImageRegistryAccount", account={"username": "u"})
    people.write("DeleteImageRegistryAccount", id=account["_id"]["$oid"])
    updates = list(people.core.state.updates.values())
    assert [(update["operation"], update["logs"][0]["stdout"]) for update in updates[-2:]] == [
        (
            "CreateDockerRegistryAccount",
            "Created docker registry account account for docker.io with username u",
        ),
        ("UpdateDockerRegistryAccount", "Deleted registry account for docker.io with username u"),
    ]
    with pytest.raises(Refusal) as caught:
        people.write("DeleteImageRegistryAccount", id=account["_id"]["$oid"])
    assert caught.value.status == 400

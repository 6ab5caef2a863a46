"""Why a stack is deployed: the same words for the same change, whatever order its parts come in."""

from itertools import permutations

from homeops.deploy.due import due


def test_reasons_stand_in_order_of_their_names() -> None:
    before = {"field repo": "1", "secret a B": "1", "secret a C": "1", "file x": "1"}
    after = {"secret a C": "2", "secret a B": "2", "field repo": "1", "file y": "1", "file a": "1"}
    told = {
        tuple(due({"fingerprint": dict(olds), "server": "one"}, {"fingerprint": dict(news), "server": "one"}).words())
        for olds in permutations(before.items())
        for news in permutations(after.items())
    }
    assert len(told) == 1
    (words,) = told
    assert [next(name for name in {**before, **after} if name in word) for word in words] == [
        "file a",
        "file y",
        "secret a B",
        "secret a C",
        "file x",
    ]

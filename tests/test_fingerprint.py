"""Two gateways are the same when nothing but their place and Azure's stamps differ."""

from hypothesis import given
from hypothesis import strategies as st

from shared.fingerprint import differences, fingerprint
from tests.unhurried import UNHURRIED

GROUP = "/subscriptions/s/resourceGroups/g"


def item(kind: str, name: str, service: str = "apim-we", **properties: object) -> dict:
    identity = f"{GROUP}/providers/Microsoft.ApiManagement/service/{service}/{kind}/{name}"
    return {"id": identity, "name": name, "properties": properties}


def test_a_missing_item_is_told():
    assert differences([item("apis", "orders")], []) == ["apis/orders is missing on the right"]


def test_an_item_too_many_is_told():
    assert differences([], [item("apis", "orders")]) == ["apis/orders is missing on the left"]


def test_a_difference_is_told_by_field_and_never_by_value():
    told = differences(
        [item("namedValues", "key", value="one")], [item("namedValues", "key", value="two")]
    )
    assert told == ["namedvalues/key differs in properties.value"]


def test_an_overlaid_item_must_still_be_there():
    overlay = {"backends": {"orders": {}}}
    told = differences([item("backends", "orders", url="a")], [], overlay)
    assert told == ["backends/orders is missing on the right"]


def test_an_overlaid_item_may_differ():
    left, right = ([item("backends", "orders", url=url)] for url in ("a", "b"))
    assert differences(left, right, {"backends": {"orders": {}}}) == []


def test_another_item_than_the_overlaid_may_not_differ():
    left, right = ([item("backends", "orders", url=url)] for url in ("a", "b"))
    assert differences(left, right, {"backends": {"payments": {}}}) != []


def test_a_changed_value_changes_the_fingerprint():
    prints = {fingerprint([item("apis", "orders", path=path)]) for path in ("a", "b")}
    assert len(prints) == 2


def test_the_gateway_s_own_name_does_not_count():
    scope = "{}/providers/Microsoft.ApiManagement/service/{}/products/trading"
    sides = [
        [item("subscriptions", "fabrikam", service, scope=scope.format(GROUP, service))]
        for service in ("apim-we", "apim-ne")
    ]
    assert fingerprint(sides[0]) == fingerprint(sides[1]) and differences(sides[0], sides[1]) == []


def test_stamps_do_not_count():
    left, right = item("apis", "a", createdDate="1"), item("apis", "a", createdDate="2")
    assert fingerprint([left]) == fingerprint([{**right, "etag": "x"}])


names = st.lists(st.text("abc", min_size=1, max_size=4), unique=True, max_size=6)


@UNHURRIED
@given(names, st.randoms(use_true_random=False))
def test_the_order_of_the_list_does_not_count(found: list[str], random):
    items = [item("apis", name, path=name) for name in found]
    mixed = random.sample(items, len(items))
    assert fingerprint(items) == fingerprint(mixed)


@UNHURRIED
@given(names)
def test_a_gateway_does_not_differ_from_itself(found: list[str]):
    items = [item("apis", name, path=name) for name in found]
    assert differences(items, items) == []

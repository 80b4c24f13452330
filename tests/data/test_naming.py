import pytest

from weft.data.naming import closest, listing, plural


@pytest.mark.parametrize(("name", "found"), [("Prize", "price"), ("PRICE", "price"), ("zzz", None)])
def test_closest_ignores_case_and_gives_up_on_strangers(name, found):
    assert closest(name, ["price", "rooms"]) == found


def test_listing_stays_short():
    assert listing([str(i) for i in range(30)], 2) == "'0', '1' and 28 more"
    assert listing(["only"]) == "'only'"


def test_plural():
    assert (plural(0, "row"), plural(1, "row"), plural(2, "class", "classes")) == ("0 rows", "1 row", "2 classes")

"""Numbers of things in words."""

from waytrace.scenario import number_of


def test_one_thing_is_in_the_singular() -> None:
    assert [number_of(n, "scene") for n in (0, 1, 2)] == ["0 scenes", "1 scene", "2 scenes"]

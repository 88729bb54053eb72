from hypothesis import given
from hypothesis import strategies as st

from waytrace.report.texts import HOLE, Texts, read_text


@given(st.lists(st.text(alphabet=st.sampled_from(list("ab 01.9-,m\x01e")), max_size=30)))
def test_texts_come_back(parts: list[str]) -> None:
    texts = Texts()
    stream = iter([number for part in parts for number in texts.code(part)])
    expected = [part.replace(HOLE, "\N{REPLACEMENT CHARACTER}") for part in parts]
    assert [read_text(stream, texts.table) for _ in parts] == expected


def test_texts_that_differ_in_numbers_alone_are_stored_once() -> None:
    texts = Texts()
    codes = [texts.code(f"the gap is {gap:.2f} m of 80 m") for gap in (12.5, 0.07, 103.0)]
    assert len(texts.table) == 1
    assert codes == [[0, 1250, 80], [0, 7, 80], [0, 10300, 80]]


def test_what_is_no_plain_number_stays_as_it_is() -> None:
    texts = Texts()
    assert texts.code("at 007") == [0]
    assert texts.table == ["at 007"]


def test_what_is_used_most_comes_first() -> None:
    texts = Texts()
    for text in ("a", "b", "b", "c 1", "c 2", "c 3"):
        texts.code(text)
    assert texts.by_use().table == [f"c {HOLE}0", "b", "a"]

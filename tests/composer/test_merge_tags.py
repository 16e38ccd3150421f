from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from composer.merge_tags import Field, Tag, fill, filler, tags_in, token, translate, unknown_tags, values


@pytest.mark.parametrize(
    ("written", "flavour", "token"),
    [
        ("{{ first_name }}", "text", "-ndFirstName-"),
        ("{{first_name}}", "html", "-ndFirstNameHtml-"),
        ("{{ name }}", "html", "-ndNameHtml-"),
        ("{{\u00a0unsubscribe_url\n}}", "html", "-ndUnsubscribeUrl-"),
        ("{{ preferences_url }}", "text", "-ndPreferencesUrl-"),
        ("{{ web_url }}", "text", "-ndWebUrl-"),
        ('{{ first_name | default: "reader" }}', "text", "-ndFirstNameX726561646572-"),
        ("{{first_name|default:'reader'}}", "html", "-ndFirstNameHtmlX726561646572-"),
        ("{{ first_name | default: &quot;reader&quot; }}", "html", "-ndFirstNameHtmlX726561646572-"),
        ("{{&nbsp;first_name | default: “reader” }}", "html", "-ndFirstNameHtmlX726561646572-"),
    ],
)
def test_it_translates_what_editors_write(written: str, flavour: str, token: str) -> None:
    assert translate(f"a {written} b", flavour)[0] == f"a {token} b"  # type: ignore[arg-type]


def test_it_tells_which_tags_were_used_with_their_defaults() -> None:
    _, used = translate('{{ name }} {{ first_name | default: "you" }} {{ name }}', "text")

    assert used == (
        Tag(token="-ndName-", field=Field.NAME, html=False),
        Tag(token="-ndFirstNameX796f75-", field=Field.FIRST_NAME, html=False, default="you"),
    )


@pytest.mark.parametrize(
    ("written", "advice"),
    [
        ("{{ frist_name }}", "did you mean {{ first_name }}?"),
        ("{{ unsubscribe }}", "did you mean {{ unsubscribe_url }}?"),
        ("{{ zzz }}", "known are first_name, name"),
        ("{{ first_name | upper }}", "write {{ first_name }} or"),
        ("{{ First_Name }}", "write {{ first_name }} or"),
        ("{{ }}", "known are"),
        ("{{ first_name", "without its partner"),
    ],
)
def test_unknown_tags_stay_and_are_named_with_a_suggestion(written: str, advice: str) -> None:
    assert translate(written, "text") == (written, ())
    (unknown,) = unknown_tags(f"Dear {written}, hello")
    assert advice in unknown.message


def test_known_tags_are_not_unknown() -> None:
    assert unknown_tags('{{ first_name | default: "x" }} and {{ web_url }}') == ()


@given(st.text(st.characters(exclude_characters='"“”{}&\\', exclude_categories=["Cs", "Cc", "Z"]), min_size=1))
def test_any_default_travels_inside_its_tag(default: str) -> None:
    text, used = translate(f'{{{{ name | default: "{default}" }}}}', "html")

    assert tags_in(text.encode()) == used
    assert used[0].default == default


def test_values_are_escaped_for_html_only() -> None:
    tags = tags_in("-ndNameHtml- -ndName- -ndEmailHtml-")

    assert values(tags, name="A <b> & 'C'", email="a&b@example.com") == {
        "-ndNameHtml-": "A &lt;b&gt; &amp; &#x27;C&#x27;",
        "-ndName-": "A <b> & 'C'",
        "-ndEmailHtml-": "a&amp;b@example.com",
    }


def test_a_name_starts_no_header_and_no_other_tag() -> None:
    own = values(tags_in("-ndName-"), name="Eve\r\nBcc: all@example.com -ndUnsubscribeUrl-")

    assert own == {"-ndName-": "Eve Bcc: all@example.com  UnsubscribeUrl-"}


def test_the_first_name_is_the_first_word() -> None:
    assert values(tags_in("-ndFirstName-"), name="Ada Lovelace") == {"-ndFirstName-": "Ada"}


@pytest.mark.parametrize("name", ["", "  ", "\r\n"])
def test_the_default_stands_in_for_an_empty_name(name: str) -> None:
    written = token(Field.FIRST_NAME, "html", "dear & reader")

    assert values(tags_in(written), name=name) == {written: "dear &amp; reader"}


def test_a_link_that_is_used_must_be_given() -> None:
    with pytest.raises(ValueError, match="unsubscribe_url is used"):
        values(tags_in("-ndUnsubscribeUrl-"), name="Ada")


def test_only_our_tags_are_found() -> None:
    assert tags_in(b"-ndNothing- -nd- ndName -ndNameX6- well-known") == ()


def test_fill_leaves_no_tag() -> None:
    text, used = translate('Hi {{ first_name | default: "you" }}: {{ unsubscribe_url }}', "text")

    assert fill(text, values(used, unsubscribe_url="https://example.com/u/1")) == "Hi you: https://example.com/u/1"


_ALL = tags_in(
    "-ndName- -ndNameHtml- -ndFirstName- -ndFirstNameHtmlX723c3e- -ndFirstNameX7265616465722026- -ndEmail- -ndEmailHtml-"
    " -ndUnsubscribeUrl- -ndUnsubscribeUrlHtml- -ndPreferencesUrl-"
)
_PLAIN_TAGS = tuple(tag for tag in _ALL if tag.token != "-ndUnsubscribeUrlHtml-")
_ORDINARY = st.from_regex(r"[A-Za-zé ]{0,12}", fullmatch=True)
_ODD = st.text(st.sampled_from("ab <>&\"'\r\n\t\x00\u2003\u00a0-ndN"), max_size=8)
#: What nearly is a tag, or a part of one.
_NEARLY_A_TAG = st.text(st.sampled_from("a-ndND @.+é_"), max_size=8)


@given(
    name=st.one_of(_ORDINARY, _ODD, _NEARLY_A_TAG, st.text(max_size=10)),
    email=st.one_of(st.sampled_from(["a@b.example", "o'x&y@b.example", "<@b>"]), _NEARLY_A_TAG.filter(bool)),
    token=st.sampled_from(["a?b&c", "x-ndEmail-", "x-nday"]),
    odd_tags=st.booleans(),
)
def test_filling_in_for_many_readers_gives_what_values_gives(name: str, email: str, token: str, odd_tags: bool) -> None:
    tags = _ALL if odd_tags else _PLAIN_TAGS
    links = {"unsubscribe_url": f"https://h.example/u/{token}", "preferences_url": "https://h.example/p/a"}

    filled = filler(tags)(name, email, links["unsubscribe_url"], links["preferences_url"])

    assert filled == values(tags, name=name, email=email, **links)


def test_filling_in_gives_what_values_gives_for_whatever_nearly_is_a_tag() -> None:
    """Where the first word ends in half of a tag, too."""
    fill_in = filler(_PLAIN_TAGS)
    links = {"unsubscribe_url": "https://h.example/u/a", "preferences_url": "https://h.example/p/a"}
    for length in range(7):
        for letters in product("a-ndN ", repeat=length):
            name = "".join(letters)
            filled = fill_in(name, "a@b.example", links["unsubscribe_url"], links["preferences_url"])
            assert filled == values(_PLAIN_TAGS, name=name, email="a@b.example", **links), name


def test_filling_in_refuses_a_missing_link() -> None:
    with pytest.raises(ValueError, match="was not given for this reader"):
        filler(_ALL)("Ana", "a@b.example", "", "")

"""SendGrid replaces one tag after the other, also in what it has filled in: no value and no letters make a tag of their own."""

from itertools import permutations
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from composer.merge_tags import Field, fill, filler, tags_in, token, translate, values
from composer.rendering.neutralising import neutralised
from tasks.messages import Message, Recipient
from tasks.mime.messages import encode_messages
from tests.composer.editions import make_edition, make_story

LINKS = {"unsubscribe_url": "https://h.example/u/SECRET", "preferences_url": "https://h.example/p/SECRET"}
TAGS = tags_in(
    *(token(field, flavour) for field in Field if field is not Field.WEB_URL for flavour in ("text", "html"))
)
#: What could be, begin or end a tag.
PIECES = st.sampled_from(
    [tag.token for tag in TAGS] + ["-", "n", "d", "-n", "-nd", "nd", "ndEmail-", "dName-", "Email-", "Html-", "a", " "]
)
VALUES = st.lists(PIECES, max_size=4).map("".join)


def one_after_the_other(text: str, own: dict[str, str], order: tuple[str, ...]) -> str:
    for written in order:
        text = text.replace(written, own[written])
    return text


@pytest.mark.parametrize("field", [Field.NAME, Field.FIRST_NAME, Field.EMAIL])
@pytest.mark.parametrize("html", [False, True])
def test_a_tag_in_a_value_stays_letters(field: Field, html: bool) -> None:
    written = token(field, "html" if html else "text")
    text = f"{written} -ndUnsubscribeUrl-"
    own = values(tags_in(text), name="-ndUnsubscribeUrl-", email="-ndUnsubscribeUrl-@example.com", **LINKS)

    for order in permutations(own):
        assert one_after_the_other(text, own, order).count("SECRET") == 1


@given(VALUES, VALUES, st.lists(st.sampled_from([tag.token for tag in TAGS] + [" ", "a"]), max_size=5), st.randoms())
def test_whatever_the_order_each_tag_gives_its_own_value(name: str, email: str, parts: list[str], random: Any) -> None:
    text = "".join(parts)
    own = values(tags_in(text), name=name, email=email or "a@b.example", **LINKS)
    order = list(own)
    random.shuffle(order)

    filled = one_after_the_other(text, own, tuple(order))
    assert filled == "".join(own.get(part, part) for part in parts)
    assert filled == fill(text, own)


@given(VALUES)
def test_a_default_is_no_tag_either(default: str) -> None:
    written = token(Field.NAME, "text", default)
    text = f"{written}-ndEmail-"
    own = filler(tags_in(text))("", "SECRET@example.com", *LINKS.values())

    assert one_after_the_other(text, own, tuple(sorted(own, reverse=True))).count("SECRET") == 1


@given(st.lists(st.sampled_from(["{{ name }}", "{{ email }}", "-nd", "ndEmail-", "Email-", "-ndEmail-", "n", "d", "-", "x"])
                , max_size=6))  # fmt: skip
def test_letters_beside_a_merge_tag_make_no_other(parts: list[str]) -> None:
    text = "".join(parts)
    expected = text.count("{{ email }}")
    content = neutralised(make_edition(make_story("k1", headline=text, body_html=f"<p>{text}</p>"), subject=text))
    story = content.blocks[0]

    for shown in (content.subject, story.headline, story.body_html):  # type: ignore[union-attr]
        written, used = translate(shown, "text")
        own = values(used, name="Ada", email="SECRET@example.com", **LINKS)
        for order in permutations(own):
            assert one_after_the_other(written, own, order).count("SECRET") == expected


@pytest.mark.parametrize("email", ["-ndUnsubscribeUrl-@example.com", "x-ndName-@example.com"])
def test_smtp_fills_in_as_sendgrid_does(email: str) -> None:
    text = "To -ndEmail- as -ndName-: -ndUnsubscribeUrl-"
    own = values(tags_in(text), name="Ada", email=email, **LINKS)
    message = Message(
        subject=text, html=text, text=text, from_email="n@example.com", from_name="News", reply_to="", headers={},
        categories=(), tracking=False,
    )  # fmt: skip
    request = encode_messages(message, [Recipient(email, "Ada", "1.1", own, "")], attempt=uuid4())
    (made,) = request.messages

    sent = request.template.join(made.values)
    # In the subject, which is encoded where it needs to be, it is looked for below.
    assert sent.split(b"\r\n\r\n", 1)[1].count(b"SECRET") == 2
    assert fill(text, own).count("SECRET") == 1

import re
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from composer.conversion import edition_content
from composer.images import permanent
from composer.rendering import render

pytestmark = pytest.mark.integration


def test_a_publications_brand_is_in_its_mails(make_edition: Any, publication: Any, make_image: Any) -> None:
    publication.accent, publication.heading_font, publication.radius = "#6a1b9a", "Courier, monospace", 0
    publication.logo = make_image()
    publication.full_clean()
    publication.save()

    html = render(edition_content(make_edition(publication=publication), images=permanent)).html

    assert "#6a1b9a" in html
    assert "Courier" in html
    assert re.search(r'<img src="https://news\.example\.com/media/mail/\w{64}\.\w+" alt="The Weekly"', html)


@pytest.mark.parametrize(
    ("field", "value"),
    [("accent", "blue"), ("accent", "#12345"), ("text_font", "Arial"), ("heading_font", "a;b, serif"), ("radius", 33)],
)
def test_what_no_mail_client_would_show_is_refused(publication: Any, field: str, value: Any) -> None:
    setattr(publication, field, value)

    with pytest.raises(ValidationError) as refused:
        publication.full_clean()
    assert refused.value.message_dict.keys() == {field}

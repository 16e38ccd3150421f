"""What rendering takes besides the content, and what it gives back."""

from dataclasses import dataclass

from composer.merge_tags import Tag


@dataclass(frozen=True, kw_only=True)
class Links:
    """Where the footer's links lead: merge tags in what is sent, real addresses in a preview."""

    unsubscribe: str = "-ndUnsubscribeUrl-"
    #: Empty: no preferences link.
    preferences: str = ""


@dataclass(frozen=True, kw_only=True)
class Rendering:
    mjml: str
    html: str
    text: str
    subject: str
    preheader: str
    links: Links
    #: Every merge tag left in subject, text and HTML; `merge_tags.values(tags, …)` fills them for one reader.
    tags: tuple[Tag, ...]
    #: The theme's name.
    theme: str = ""

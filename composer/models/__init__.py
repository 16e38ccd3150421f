"""What we say: publications, stories, editions, and the frozen bytes of an approved edition."""

from composer.models.approval import Approval, Variant
from composer.models.edition import Edition
from composer.models.holiday import Holiday
from composer.models.membership import Membership, Role
from composer.models.placement import Placement
from composer.models.publication import Publication
from composer.models.remark import Remark
from composer.models.review import Review
from composer.models.source import Source, SourceEntry
from composer.models.story import Story
from composer.models.story_vector import StoryVector

__all__ = [
    "Approval",
    "Edition",
    "Holiday",
    "Membership",
    "Placement",
    "Publication",
    "Remark",
    "Review",
    "Role",
    "Source",
    "SourceEntry",
    "Story",
    "StoryVector",
    "Variant",
]

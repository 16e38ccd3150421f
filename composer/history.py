"""What earlier editions of a publication said, for the checks."""

from django.db.models import Q

from composer.checks import History
from composer.content import EditionContent
from composer.conversion import edition_content
from composer.models import Edition, Placement
from composer.models.story import fingerprint
from composer.same_story.in_edition import told_before
from composer.sanitising import TextTooLargeError
from composer.standing_matter import untouched


def of(edition: Edition) -> History:
    """The edition before this one, and which of its stories ran in any other of the publication's editions."""
    ran = _ran(edition)
    last = edition_before(edition)
    return History(
        last=_content(last) if last else None,
        ran=ran,
        told=told_before(edition, without=ran),
        untouched=untouched(edition, last),
    )


def edition_before(edition: Edition) -> Edition | None:
    """The publication's edition with the next lower number; of one without a number, the last there is."""
    earlier = Edition.objects.filter(publication=edition.publication_id).exclude(pk=edition.pk)
    if edition.number:
        earlier = earlier.filter(number__lt=edition.number)
    return earlier.select_related("publication").order_by("-number").first()


def _content(last: Edition) -> EditionContent | None:
    try:
        # Its images are of no interest, and each would be a file to look at.
        return edition_content(last, images=lambda _: None)
    except TextTooLargeError:
        return None


def _ran(edition: Edition) -> dict[str, int]:
    """By block: a story that was picked before, or another one under the same headline."""
    stories = [child for child in edition.content if child.block_type == "story"]
    picked = {str(child.id): child.value["story"].pk for child in stories if child.value["story"]}
    headlines = {str(child.id): fingerprint(child.value["headline"]) for child in stories if child.value["headline"]}
    earlier = (
        Placement.objects.filter(edition__publication=edition.publication_id)
        .filter(Q(story__in=picked.values()) | Q(story__fingerprint__in=headlines.values()))
        .exclude(edition=edition.pk)
        .order_by("edition__number")
        .values_list("story", "story__fingerprint", "edition__number")
    )
    by_story: dict[int | None, int] = {}
    by_headline: dict[str | None, int] = {}
    for story, headline, number in earlier:
        if number is not None:
            by_story[story] = by_headline[headline] = number
    repeats = {key: by_headline[headline] for key, headline in headlines.items() if headline in by_headline}
    return repeats | {key: by_story[story] for key, story in picked.items() if story in by_story}

"""The projection of an edition's story blocks that answers “where did this story run”."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from composer.models.edition import Edition


def rewrite(edition: "Edition") -> None:
    """Replace the edition's placements by what its content says now. Call it inside the transaction that saves it."""
    from composer.models.placement import Placement  # noqa: PLC0415 - Wagtail's knot: the models know their blocks

    stories = [child for child in edition.content if child.block_type == "story"]
    edition.placements.all().delete()
    Placement.objects.bulk_create(
        Placement(
            edition=edition,
            block_id=child.id,
            story=child.value.get("story"),
            number=number,
            headline=child.value["headline"][:300],
            audience=child.value["audience"][:60],
        )
        for number, child in enumerate(stories, start=1)
    )

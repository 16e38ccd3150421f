"""The stored texts that an edition's stories were written from: for the checks alone. No mail and no frozen byte has them."""

from composer.models import Edition


def source_texts(edition: Edition) -> dict[str, str]:
    """By block; a block has the text of the story it was copied from. Blocks without one are missing."""
    stories = {str(child.id): child.value["story"] for child in edition.content if child.block_type == "story"}
    return {key: story.source_text for key, story in stories.items() if story and story.source_text.strip()}

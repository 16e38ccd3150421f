"""The picture of a story that came in: fetched, checked, put into the image library. Without it a story is still one."""

from collections.abc import Iterable

import structlog

from composer import story_images
from composer.articles.article import Article
from composer.models import Story
from composer.story_images import UnusableImageError
from tasks.http.download import DownloadError, download
from tasks.http.guard import Guard

log = structlog.get_logger(__name__)


def give_pictures(stories: Iterable[Story], articles: Iterable[Article], guard: Guard) -> list[str]:
    """Each story the picture of its article; what did not work, a sentence each."""
    pairs = zip(stories, articles, strict=True)
    return list(filter(None, (give_picture(story, article.image_url, guard) for story, article in pairs)))


def give_picture(story: Story, url: str, guard: Guard) -> str:
    """Fetch the picture for a story that has none; "" when all is well, else why there is none."""
    if not url or story.image_id:
        return ""
    try:
        raw = download(url, guard, most_bytes=story_images.MOST_BYTES, headers={"Accept": "image/*"}).body
        story.image = story_images.stored(raw, story.headline)
    except (DownloadError, UnusableImageError) as error:
        log.info("story_without_picture", story=story.pk, url=url[:200], reason=str(error))
        return f"“{story.headline[:60]}”: its picture was left out: {error}"
    story.save(update_fields=["image"])
    return ""

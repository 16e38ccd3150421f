"""What can be done with several stories at once from the inbox: put them into an edition, give them a topic."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.db import transaction
from django.db.models import QuerySet
from wagtail import hooks
from wagtail.snippets.bulk_actions.snippet_bulk_action import SnippetBulkAction

from composer import story_copying
from composer.models import Approval, Edition, Story
from composer.permissions import Right, may, may_anywhere, within


class StoryBulkAction(SnippetBulkAction):
    models = [Story]
    template_name = "web/desk/story_bulk_action.html"
    #: What the button says that does it.
    button = ""

    def check_perm(self, story: Story) -> bool:
        """Whoever may write a story may do with it what the list offers."""
        return may(self.request.user, Right.WRITE, story.publication_id)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), "title": self.display_name, "button": self.button}

    def get_execution_context(self) -> dict[str, Any]:
        return {**super().get_execution_context(), "user": self.request.user, **self.cleaned_form.cleaned_data}


#: So many editions are offered, the newest first.
_OFFERED = 50


def drafts(user: Any) -> "QuerySet[Edition]":
    """Editions that the user can still put stories into, the newest first."""
    standing = Approval.objects.standing().values("edition")
    unapproved = within(Edition.objects.exclude(pk__in=standing), user, Right.EDIT)
    return unapproved.select_related("publication").order_by("-created_at", "-pk")


class EditionField(forms.ModelChoiceField):  # type: ignore[type-arg]  # not generic when it runs
    def label_from_instance(self, edition: Any) -> str:
        return f"{edition.publication}, {edition}"


class EditionChoice(forms.Form):
    edition = EditionField(queryset=Edition.objects.none(), label="Edition", empty_label=None)

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        newest = drafts(user).values_list("pk", flat=True)[:_OFFERED]
        self.fields["edition"].queryset = drafts(user).filter(pk__in=list(newest))  # type: ignore[attr-defined]


@hooks.register("register_bulk_action")
class AddToEdition(StoryBulkAction):
    display_name = "Add to edition"
    aria_label = "Add the selected stories to an edition"
    action_type = "add_to_edition"
    action_priority = 10
    button = "Add to the edition"
    form_class = EditionChoice

    def check_perm(self, story: Story) -> bool:
        return may_anywhere(self.request.user, Right.EDIT) and may(self.request.user, Right.SEE, story.publication_id)

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "user": self.request.user}

    @classmethod
    def execute_action(cls, objects: Sequence[Story], edition: Edition, user: Any = None, **_: Any) -> tuple[int, int]:
        return add(edition, objects, user), 0

    def get_success_message(self, added: int, _children: int) -> str:
        edition = self.cleaned_form.cleaned_data["edition"]
        left = len(self.actionable_objects) - added
        already = f"; {left} stood there already" if left else ""
        return f"{added} {'story' if added == 1 else 'stories'} added to {edition}{already}."


@transaction.atomic
def add(edition: Edition, stories: Sequence[Story], user: Any) -> int:
    """Copy the stories to the edition's end, as a revision of the user's. Returns how many were not there yet."""
    current = Edition.objects.select_for_update(no_key=True).get(pk=edition.pk)
    there = {
        child.value["story"].pk for child in current.content if child.block_type == "story" and child.value["story"]
    }
    new = [story for story in stories if story.pk not in there]
    for story in new:
        current.content.append(("story", story_copying.copy_of(story)))
    if new:
        current.save_revision(user=user, log_action=True, clean=False)
    return len(new)


class TopicForm(forms.Form):
    topics = forms.CharField(
        max_length=300,
        label="Topic",
        help_text="Several are separated by commas. Empty takes the topics away.",
        required=False,
    )


@transaction.atomic
def set_topics(stories: Sequence[Story], topics: str, user: Any) -> int:
    """Give the stories these topics, as a revision of the user's each. Returns how many there are."""
    written = ", ".join(topic.strip() for topic in topics.split(",") if topic.strip())
    current = Story.objects.select_for_update(no_key=True, of=("self",)).filter(pk__in=[story.pk for story in stories])
    changed = list(current.order_by("pk"))
    for story in changed:
        story.topics = written
        story.save(update_fields=["topics", "fingerprint", "updated_at"])
        story.save_revision(user=user, log_action=True, clean=False)
    return len(changed)


@hooks.register("register_bulk_action")
class SetTopic(StoryBulkAction):
    display_name = "Set topic"
    aria_label = "Give the selected stories a topic"
    action_type = "set_topic"
    action_priority = 20
    button = "Set the topic"
    form_class = TopicForm

    @classmethod
    def execute_action(cls, objects: Sequence[Story], topics: str, user: Any = None, **_: Any) -> tuple[int, int]:
        return set_topics(objects, topics, user), 0

    def get_success_message(self, changed: int, _children: int) -> str:
        return f"{changed} {'story has' if changed == 1 else 'stories have'} the topic now."

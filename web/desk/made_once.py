"""A page on which an edition or a story is written makes one of it, however often it is posted."""

from typing import Any
from uuid import UUID, uuid4

from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse
from django.urls import resolve, reverse
from django.utils.functional import cached_property

from composer.models import Edition, Story


class MadeOnce:
    """For Wagtail's create view of what has a `form_token`: Save may be clicked while the first autosave is still under way, or twice."""

    request: HttpRequest
    model: type[Edition] | type[Story]

    @cached_property
    def form_token(self) -> UUID | None:
        """Of the page that is posted; a new one for a page that is opened; None where what was posted is none."""
        if self.request.method != "POST":
            return uuid4()
        try:
            return UUID(self.request.POST.get("form_token", ""))
        except ValueError:
            return None

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Make it, or go on with the one that this page has made."""
        view: Any = super()
        made = self._made()
        if made is None:
            try:
                response: HttpResponse = view.post(request, *args, **kwargs)
            except IntegrityError:
                # Another request of the same page was faster.
                made = self._made()
                if made is None:
                    raise
            else:
                return response
        return self._go_on_with(made)

    def form_invalid(self, form: Any) -> HttpResponse:
        """What is in the way may be what the same page has saved meanwhile: the slot is taken by it."""
        view: Any = super()
        made = self._made()
        response: HttpResponse = self._go_on_with(made) if made else view.form_invalid(form)
        return response

    def save_instance(self) -> Edition | Story:
        """Save it with the page's token."""
        view: Any = self
        view.form.instance.form_token = self.form_token
        saved: Edition | Story = super().save_instance()  # type: ignore[misc]  # Wagtail's view has it
        return saved

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """With the token, for the form."""
        context: dict[str, Any] = super().get_context_data(**kwargs)  # type: ignore[misc]  # Wagtail's view has it
        return {**context, "form_token": self.form_token or uuid4()}

    def _made(self) -> Edition | Story | None:
        return self.model.objects.filter(form_token=self.form_token).first() if self.form_token else None

    def _go_on_with(self, made: Edition | Story) -> HttpResponse:
        """A click saves what the page says now; an autosave may come late, and say less than was saved since."""
        view: Any = self
        if view.expects_json_response:
            message = f"This {self.model.__name__.lower()} was saved meanwhile. Click Save to keep what stands here."
            refused: HttpResponse = view.json_error_response("invalid_revision", message)
            return refused
        edit = resolve(reverse(view.edit_url_name, args=[made.pk]))
        saved: HttpResponse = edit.func(self.request, *edit.args, **edit.kwargs)
        return saved

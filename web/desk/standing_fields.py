"""Fields of the frame that came over from last week say so beside them, until they are changed or confirmed."""

from typing import Any

from wagtail.admin.panels import FieldPanel

from composer.standing_matter import PARTS


class StandingFieldPanel(FieldPanel):
    """A field with the note that its part of the frame is last week's; the script hides it once the part is touched."""

    class BoundPanel(FieldPanel.BoundPanel):
        template_name = "web/desk/standing_field.html"

        def get_context_data(self, parent_context: dict[str, Any] | None = None) -> dict[str, Any]:
            context: dict[str, Any] = super().get_context_data(parent_context)
            part = next(part for part, fields in PARTS.items() if self.field_name in fields)
            return {**context, "part": part, "fields": PARTS[part], "untouched": part in self.form.untouched}

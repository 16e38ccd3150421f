"""What NEWSDESK_ALARM_URL is still to be told of an alarm."""

from django.db import models


class AlarmPost(models.Model):
    """One row for each alarm that is posted, from its raising until its clearing was posted too, or one of them was given up."""

    alarm = models.OneToOneField("tasks.Alarm", primary_key=True, on_delete=models.CASCADE, related_name="post")
    #: Until then the raising is what is posted next, afterwards the clearing, once there is one.
    raising_posted_at = models.DateTimeField(null=True)
    #: Tries of what is posted next.
    tries = models.PositiveIntegerField(default=0, db_default=0)

    wagtail_reference_index_ignore = True

    def __str__(self) -> str:
        return f"Post of alarm {self.pk}"

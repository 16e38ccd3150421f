"""Readers are asked before they are tracked; a publication may track those whom nobody asked."""

from django.db import migrations, models

WORDING = (
    "You may record whether I open these mails and which links in them I follow, to learn what is read. "
    "I can take this back here at any time."
)


class Migration(migrations.Migration):
    dependencies = [("composer", "0012_roles_replace_groups")]

    operations = [
        migrations.AddField(
            model_name="publication",
            name="track_unknown",
            field=models.BooleanField(
                default=False,
                help_text="Also report those who neither agreed nor refused. In the EU and the UK the law wants them asked first.",
                verbose_name="track readers who were never asked",
            ),
        ),
        migrations.AddField(
            model_name="publication",
            name="tracking_wording",
            field=models.CharField(
                default=WORDING,
                help_text="Beside the box on the page of a reader's subscriptions; kept with every answer.",
                max_length=500,
                verbose_name="what readers agree to",
            ),
        ),
        migrations.AlterField(
            model_name="publication",
            name="tracking",
            field=models.BooleanField(
                default=False, help_text="Ask the provider to report opens and clicks of the readers who agreed to it."
            ),
        ),
    ]

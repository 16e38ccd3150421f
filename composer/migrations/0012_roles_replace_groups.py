"""Groups and single permissions become roles, and Wagtail's shipped groups go.

Who held a permission held it for all publications: so does the role. Nobody gains a right that mails readers or makes
administrators beyond what they had, except that whoever could approve could schedule, and still can.
"""

from django.db import migrations
from django.db.models import Q

SHIPPED = ("Editors", "Moderators")
#: The first that fits.
ROLES = (
    ("publisher", ("approve_edition",)),
    ("writer", ("change_edition", "add_edition", "change_story", "add_story")),
    ("analyst", ("view_edition", "view_story")),
)


def give_roles(apps, _schema_editor):
    user_model = apps.get_model("auth", "User")
    group_model = apps.get_model("auth", "Group")
    permission_model = apps.get_model("auth", "Permission")
    membership_model = apps.get_model("composer", "Membership")
    ours = permission_model.objects.filter(content_type__app_label="composer")
    given = set()
    for role, codenames in ROLES:
        asked = ours.filter(codename__in=codenames)
        held = Q(user_permissions__in=asked) | Q(groups__permissions__in=asked)
        for user in user_model.objects.filter(held, is_superuser=False).exclude(pk__in=given).distinct():
            membership_model.objects.create(user=user, publication=None, role=role)
            given.add(user.pk)
    ours.filter(codename="approve_edition").delete()
    group_model.objects.filter(name__in=SHIPPED).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("composer", "0011_roles"),
        ("auth", "0012_alter_user_first_name_max_length"),
        # They give the shipped groups their permissions, and look the groups up by name.
        ("wagtailadmin", "0001_create_admin_access_permissions"),
        ("wagtailcore", "0066_collection_management_permissions"),
        ("wagtailimages", "0023_add_choose_permissions"),
        ("wagtaildocs", "0011_add_choose_permissions"),
    ]

    operations = [migrations.RunPython(give_roles, migrations.RunPython.noop)]

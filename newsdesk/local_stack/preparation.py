"""What has to be in place before the programs start: tables, the first login, the static files."""

from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command

from newsdesk.core.errors import OperationFailedError
from newsdesk.core.home import Home
from newsdesk.local_stack import fingerprint
from tasks.database import identity

FIRST_USER = "editor"


@dataclass(frozen=True, kw_only=True)
class Login:
    username: str
    #: None once the user has chosen another.
    password: str | None


def first_login(home: Home) -> Login | None:
    """Make the first user when there is none; None when this home's first user is gone or was never made here."""
    users = get_user_model()._default_manager  # noqa: SLF001 - the public way to the model's manager
    password = home.first_password()
    if not users.exists():
        users.create_superuser(FIRST_USER, email="", password=password)
        return Login(username=FIRST_USER, password=password)
    user = users.filter(**{get_user_model().USERNAME_FIELD: FIRST_USER}).first()
    if user is None:
        return None
    return Login(username=FIRST_USER, password=password if user.check_password(password) else None)


def collect_static_files() -> None:
    """Collect the static files into the home, once for each version of them."""
    stamp = Path(settings.STATIC_ROOT) / ".version"
    version = fingerprint.of_static_files()
    if stamp.exists() and stamp.read_text(encoding="utf-8") == version:
        return
    call_command("collectstatic", interactive=False, verbosity=0, clear=True)
    stamp.write_text(version, encoding="utf-8")


def refuse_unsafe_database() -> None:
    """Raise Failure when the database may forget what it has committed."""
    try:
        identity.refuse_unsafe_database()
    except identity.UnsafeDatabaseError as error:
        raise OperationFailedError(str(error)) from error

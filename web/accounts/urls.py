"""The addresses of accounts, below /desk/: those of django-allauth that the desk uses, by the names it knows them."""

from allauth.account import views as account
from allauth.usersessions import views as usersessions
from django.urls import include, path, re_path

from web.accounts import invitations, organisation, passwords

urlpatterns = [
    path("login/", organisation.login, name="account_login"),
    path("login/organisation/", organisation.start, name="organisation_login"),
    path("login/organisation/callback/", organisation.callback, name="organisation_callback"),
    path("security/logout/", account.logout, name="account_logout"),
    path("security/inactive/", account.account_inactive, name="account_inactive"),
    path("security/confirm/", account.reauthenticate, name="account_reauthenticate"),
    path("security/password/", account.password_change, name="account_change_password"),
    # Whoever has a passkey only, or came with an invitation, has none to change.
    path("security/password/set/", account.password_set, name="account_set_password"),
    path("security/sessions/", usersessions.list_usersessions, name="usersessions_list"),
    path("security/", include("allauth.mfa.urls")),
    path("password_reset/", passwords.forgotten, name="account_reset_password"),
    path("password_reset/sent/", account.password_reset_done, name="account_reset_password_done"),
    path("password_reset/done/", account.password_reset_from_key_done, name="account_reset_password_from_key_done"),
    path("invitation/<str:token>/", invitations.accept, name="invitation"),
    re_path(
        r"^password_reset/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>[^/]+)/\Z",
        account.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
]

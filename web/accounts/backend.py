"""Who somebody is, as allauth asks it, and what they may, as their roles say."""

from allauth.account.auth_backends import AuthenticationBackend

from composer.permission_policies import RoleBackend


class LoginBackend(RoleBackend, AuthenticationBackend):
    """The password's check takes as long for names that nobody has; groups and single permissions give nothing."""

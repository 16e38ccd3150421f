"""What browsers are told about every answer: what it may load, who may frame it, what it may ask the machine for."""

from typing import Any

from csp.middleware import CSPMiddleware, PolicyParts
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

#: Nothing of the machine is used but its passkeys.
PERMISSIONS = ", ".join(
    [
        *(
            f"{feature}=()"
            for feature in (
                "camera",
                "display-capture",
                "geolocation",
                "microphone",
                "midi",
                "payment",
                "serial",
                "usb",
            )
        ),
        "publickey-credentials-create=(self)",
        "publickey-credentials-get=(self)",
    ]
)


class BrowserDefences(CSPMiddleware):
    """The Content-Security-Policy of the settings, for whatever brings none of its own, and the Permissions-Policy.

    What COOP, Referrer-Policy and nosniff say comes from Django's SecurityMiddleware.
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> Any:
        response.headers.setdefault("Permissions-Policy", PERMISSIONS)
        if not getattr(response, "xframe_options_exempt", False):
            # Django's middleware for it stands further in, and does not see what is refused before.
            response.headers.setdefault("X-Frame-Options", "DENY")
        if settings.SECURE_HSTS_SECONDS:
            # Django says it only where TLS ends here; it ends at the proxy, and browsers ignore it over plain HTTP.
            response.headers.setdefault("Strict-Transport-Security", f"max-age={settings.SECURE_HSTS_SECONDS}")
        return super().process_response(request, response)

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        parts: PolicyParts = super().get_policy_parts(request, response, report_only)
        # Wagtail says so of the pages that it shows in frames of the desk: what keeps a preview from being shown.
        if response.headers.get("X-Frame-Options") == "SAMEORIGIN":
            parts.replace = {**(parts.replace or {}), "frame-ancestors": ["'self'"]}
        return parts

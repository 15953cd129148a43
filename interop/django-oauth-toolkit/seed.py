"""Tables, two users, two public clients and a resource server."""

import os

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "site_settings"
django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from oauth2_provider.models import Application  # noqa: E402

call_command("migrate", verbosity=0)
alice = User.objects.create_user("alice", "alice@example.test", os.environ["INTEROP_PASSWORD"])
User.objects.create_user("bob", "bob@example.test", os.environ["INTEROP_SECOND_PASSWORD"])
for client_id, redirect_uri, after_logout in (
    ("native", "http://127.0.0.1:9999/callback", "http://127.0.0.1:9999/signed-out"),
    ("other", "http://127.0.0.1:9998/callback2", ""),
):
    Application.objects.create(
        client_id=client_id,
        name=client_id,
        user=alice,
        client_type=Application.CLIENT_PUBLIC,
        authorization_grant_type=Application.GRANT_AUTHORIZATION_CODE,
        algorithm=Application.RS256_ALGORITHM,
        redirect_uris=redirect_uri,
        post_logout_redirect_uris=after_logout,
        allowed_origins="https://app.example.test",
    )
Application.objects.create(
    client_id="api",
    client_secret=os.environ["INTEROP_SECRET"],
    name="api",
    user=alice,
    client_type=Application.CLIENT_CONFIDENTIAL,
    authorization_grant_type=Application.GRANT_CLIENT_CREDENTIALS,
)

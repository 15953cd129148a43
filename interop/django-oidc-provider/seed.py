"""Tables, a signing key, two users, two public clients and a resource server."""

import os

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "site_settings"
django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from oidc_provider.models import Client, ResponseType  # noqa: E402

call_command("migrate", verbosity=0)
call_command("creatersakey")
alice = User.objects.create_user("alice", "alice@example.test", os.environ["INTEROP_PASSWORD"])
User.objects.create_user("bob", "bob@example.test", os.environ["INTEROP_SECOND_PASSWORD"])
for client_id, redirect_uri, after_logout in (
    ("native", "http://127.0.0.1:9999/callback", "http://127.0.0.1:9999/signed-out"),
    ("other", "http://127.0.0.1:9998/callback2", ""),
):
    client = Client.objects.create(
        client_id=client_id,
        name=client_id,
        owner=alice,
        client_type="public",
        jwt_alg="RS256",
        _redirect_uris=redirect_uri,
        _post_logout_redirect_uris=after_logout,
    )
    client.response_types.add(ResponseType.objects.get(value="code"))
# Which tokens a resource server may introspect is said by its scopes: the audience, hence the
# client for which the token was issued.
Client.objects.create(
    client_id="api",
    client_secret=os.environ["INTEROP_SECRET"],
    name="api",
    owner=alice,
    client_type="confidential",
    _scope="token_introspection native other",
)

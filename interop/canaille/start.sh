#!/usr/bin/env bash
. "$(dirname "$0")/../common.sh"
fresh_state
export CONFIG=$state/canaille.toml
canaille=$home/venv/bin/canaille
cd "$state"
sed "s|{port}|$PORT|g; s|{state}|$state|g; s|{secret}|$("$home/venv/bin/python" -c \
    'import secrets; print(secrets.token_hex(32))')|" "$here/canaille.toml" >"$CONFIG"
"$canaille" db upgrade
"$canaille" jwk create rsa | "$home/venv/bin/python" "$here/active_jwks.py" >>"$CONFIG"
"$canaille" create user --user-name alice --password "$INTEROP_PASSWORD" --family-name Liddell \
    --formatted-name Alice --emails alice@example.test
"$canaille" create user --user-name bob --password "$INTEROP_SECOND_PASSWORD" --family-name Builder \
    --formatted-name Bob --emails bob@example.test

# client ID REDIRECT_URI [OPTION..]: a public client. Its audience is its own record: without one,
# ID Tokens have an empty aud.
client() {
    local id=$1 redirect_uri=$2 record
    shift 2
    record=$("$canaille" create client --client-id "$id" --client-name "$id" \
        --client-uri http://127.0.0.1:9999 --redirect-uris "$redirect_uri" \
        --token-endpoint-auth-method none --grant-types authorization_code \
        --grant-types refresh_token --response-types code \
        --scope openid --scope profile --scope email --scope offline_access "$@" |
        "$home/venv/bin/python" -c 'import json, sys; print(json.load(sys.stdin)["id"])')
    "$canaille" set client "$record" --audience "$record"
}
client native http://127.0.0.1:9999/callback \
    --post-logout-redirect-uris http://127.0.0.1:9999/signed-out
client other http://127.0.0.1:9998/callback2
exec "$canaille" run --bind "127.0.0.1:$PORT" --workers 1

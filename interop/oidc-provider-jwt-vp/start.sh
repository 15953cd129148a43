#!/usr/bin/env bash
. "$(dirname "$0")/../common.sh"
fresh_state
# The verifier, known by the did:key of its key; and an issuer of credentials that it trusts, whose
# private key the harness has.
ec_key verifier
ec_key issuer
# Modules are found beside the file that imports them.
cp "$here/server.mjs" "$here/../portal.mjs" "$home/"
STATE=$state exec node "$home/server.mjs"

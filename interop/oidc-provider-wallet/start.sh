#!/usr/bin/env bash
. "$(dirname "$0")/../common.sh"
fresh_state
# The verifier, known by the hash of its certificate; and an issuer of credentials that it trusts,
# whose private key the harness has.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=verifier" \
    -keyout "$state/verifier-key.pem" -out "$state/verifier.pem" 2>/dev/null
ec_key issuer
# Modules are found beside the file that imports them.
cp "$here/server.mjs" "$here/../portal.mjs" "$home/"
STATE=$state exec node "$home/server.mjs"

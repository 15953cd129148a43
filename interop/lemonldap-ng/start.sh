#!/usr/bin/env bash
. "$(dirname "$0")/../common.sh"
fresh_state
mkdir -p "$state"/{conf,sessions/lock,psessions/lock,cache}
openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$state/key.pem"
openssl pkey -in "$state/key.pem" -pubout -out "$state/key.pub"
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=login.example.test" \
    -addext "subjectAltName=DNS:login.example.test" -addext "basicConstraints=critical,CA:FALSE" \
    -keyout "$state/tls.key" -out "$state/tls.pem" 2>/dev/null
openssl rand -hex 32 | tr -d "\n" >"$state/secret"
sed "s|{state}|$state|g" "$here/lemonldap-ng.ini" >"$state/lemonldap-ng.ini"
export LLNG_DEFAULTCONFFILE=$state/lemonldap-ng.ini STATE=$state
perl "$here/seed.pl"
exec starman --listen "127.0.0.1:$PORT:ssl" --enable-ssl --ssl-key "$state/tls.key" \
    --ssl-cert "$state/tls.pem" --preload-app --workers 16 --env deployment "$here/portal.psgi"

#!/usr/bin/env bash
. "$(dirname "$0")/../common.sh"
fresh_state
openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$state/key.pem"
export STATE=$state RAILS_ENV=production SECRET_KEY_BASE
export DATABASE_URL="sqlite3:$state/db.sqlite?timeout=20000"
SECRET_KEY_BASE=$(openssl rand -hex 64)
cd "$here"
ruby seed.rb
# Processes of one thread each: while one waits for the database, the others answer.
exec puma --bind "tcp://127.0.0.1:$PORT" --threads 1:1 --workers 4 --environment production config.ru

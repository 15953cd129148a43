#!/usr/bin/env bash
. "$(dirname "$0")/../common.sh"
fresh_state
export STATE=$state
openssl rand -hex 32 >"$state/secret_key"
cd "$here"
export PYTHONDONTWRITEBYTECODE=1
"$home/venv/bin/python" seed.py
exec "$home/venv/bin/gunicorn" --bind "127.0.0.1:$PORT" --threads 8 --forwarded-allow-ips "" --log-level warning site_wsgi

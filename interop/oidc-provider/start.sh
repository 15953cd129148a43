#!/usr/bin/env bash
. "$(dirname "$0")/../common.sh"
# Modules are found beside the file that imports them.
cp "$here/server.mjs" "$home/"
exec node "$home/server.mjs"

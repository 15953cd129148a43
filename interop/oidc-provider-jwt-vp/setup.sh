#!/usr/bin/env bash
. "$(dirname "$0")/../common.sh"
need openssl "OpenSSL 3"
# One package asks before its installation for another package manager than npm.
npm_packages --ignore-scripts

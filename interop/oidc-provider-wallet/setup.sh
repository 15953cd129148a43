#!/usr/bin/env bash
. "$(dirname "$0")/../common.sh"
need openssl "OpenSSL 3"
npm_packages

#!/usr/bin/env bash
. "$(dirname "$0")/../common.sh"
# The two packages name each other as peers in a way that npm refuses without this (ERESOLVE).
export npm_config_legacy_peer_deps=true
npm_packages

#!/usr/bin/env bash
. "$(dirname "$0")/../common.sh"
debian_packages ruby-doorkeeper 5.5.0- ruby-doorkeeper-openid-connect ruby-rails ruby-devise \
    ruby-sqlite3 puma openssl

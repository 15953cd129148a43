#!/usr/bin/env bash
. "$(dirname "$0")/../common.sh"
debian_packages liblemonldap-ng-portal-perl 2.16.1+ starman libconvert-base32-perl \
    libcrypt-urandom-perl libdbd-sqlite3-perl libdigest-hmac-perl libgd-securityimage-perl \
    libimage-magick-perl libio-string-perl libplack-perl libstring-random-perl openssl

#!/usr/bin/env bash
. "$(dirname "$0")/../common.sh"
python_packages
need openssl "openssl"

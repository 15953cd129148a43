#!/usr/bin/env bash
# Audits real servers, all of them or those named. Needs package registries, hence not part of
# .ci/run. Exits with 1 when a finding is new, gone or changed.
#
#     interop/ci.sh [SERVER..]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
exec </dev/null

cargo test --features interop --test interop -- "$@"

#!/usr/bin/env bash
# Runs what the CI integrations would run, on this machine: the steps of action.yml, GitLab's jobs,
# Jenkins' sh steps, the commands of the Kubernetes manifests and of the Containerfile, with a real
# authspec against the reference server, and with hostile inputs. What cannot run here is named.
#
#     ci/exercise.sh [PART..]     PART is github, gitlab, jenkins, kubernetes, container or lint
#
# Not part of `cargo test`: it needs python3 with PyYAML, and jq. AUTHSPEC_BINARY names a built
# authspec; without it, it is built. EXERCISE_BUILD=1 adds the release build of the Containerfile and,
# where podman or docker answers, its image, which takes minutes. Exits with 1 where something is
# wrong, with 69 where a tool is missing.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

need() {
    if ! command -v "$1" >/dev/null; then
        echo "this machine lacks the command $1: install $2" >&2
        exit 69
    fi
}
need python3 "Python 3.9 or newer"
need jq jq
if ! python3 -c 'import yaml' 2>/dev/null; then
    echo "python3 lacks the module yaml: install PyYAML (Debian: python3-yaml)" >&2
    exit 69
fi
if [ -z "${AUTHSPEC_BINARY:-}" ]; then
    need cargo "a Rust toolchain"
    cargo build --manifest-path "$here/../Cargo.toml" --bin authspec
    AUTHSPEC_BINARY=$here/../${CARGO_TARGET_DIR:-target}/debug/authspec
fi
if [ "$(basename "$AUTHSPEC_BINARY")" != authspec ]; then
    echo "AUTHSPEC_BINARY is $AUTHSPEC_BINARY: the scripts call it by the name authspec, so it must have that" >&2
    exit 69
fi
export AUTHSPEC_BINARY PYTHONDONTWRITEBYTECODE=1
exec python3 "$here/exercise" "$@" </dev/null

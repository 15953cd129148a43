# Sourced by each setup.sh and start.sh.
#
#   $here    folder of the recipe
#   $home    folder of the installation, outside of the tree: $INTEROP_HOME/<server>
#   $state   folder of one run: keys, database; made anew by `fresh_state`

set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[1]}")" && pwd)
home=${INTEROP_HOME:-$here/../../target/interop}/${here##*/}
mkdir -p "$home"
home=$(cd "$home" && pwd)

# need COMMAND WHERE: ends with a message that the test shows, where the machine lacks a command.
need() {
    if ! command -v "$1" >/dev/null; then
        echo "this machine lacks the command $1: install $2" >&2
        exit 69
    fi
}

# once FILE..: whether these files are what was installed last.
once() {
    cat "$@" | cmp -s - "$home/.installed"
}

# installed FILE..: remembers what was installed.
installed() {
    cat "$@" >"$home/.installed"
}

# npm_packages [OPTION..]: what package-lock.json of the recipe pins.
npm_packages() {
    need node "Node.js 20 or newer"
    need npm "Node.js 20 or newer"
    once "$here/package-lock.json" && return
    cp "$here/package.json" "$here/package-lock.json" "$home/"
    (cd "$home" && npm ci --no-audit --no-fund "$@")
    installed "$here/package-lock.json"
}

# python_packages: what requirements.txt of the recipe pins, in a virtual environment.
python_packages() {
    need python3 "Python 3.11 or newer with venv (Debian: python3-venv)"
    once "$here/requirements.txt" && return
    python3 -m venv "$home/venv"
    "$home/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps \
        --requirement "$here/requirements.txt"
    installed "$here/requirements.txt"
}

# debian_package NAME VERSION [NAME..]: NAME in an upstream VERSION, and others beside it.
debian_packages() {
    local name=$1 version=$2
    shift 2
    need dpkg-query "a Debian system (bookworm)"
    if ! dpkg-query --show "$name" "$@" >/dev/null 2>&1; then
        if [ "$(id -u)" != 0 ]; then
            echo "this machine lacks Debian packages: apt-get install $name $*" >&2
            exit 69
        fi
        export DEBIAN_FRONTEND=noninteractive
        apt-get update -qq
        apt-get install --yes --quiet --no-install-recommends "$name" "$@"
    fi
    local found
    found=$(dpkg-query --show --showformat '${Version}' "$name")
    case $found in
    "$version"*) ;;
    *)
        echo "$name is $found on this machine; the expected findings are those of $version" >&2
        exit 69
        ;;
    esac
}

# fresh_state: an empty folder for this port; nothing of an earlier run is left.
fresh_state() {
    state=$home/state-$PORT
    rm -rf "$state"
    mkdir -p "$state"
    chmod 700 "$state"
}

# ec_key NAME: a P-256 key, NAME-key.pem, and its public half, NAME.pem.
ec_key() {
    openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$state/$1-key.pem"
    openssl pkey -in "$state/$1-key.pem" -pubout -out "$state/$1.pem"
}

#!/bin/sh
# Installs axe-core, with which the page of a run is checked, from the npm registry into target/axe.
set -eu
cd "$(dirname "$0")/../.."
npm install --prefix target/axe --no-save --no-audit --no-fund --ignore-scripts axe-core@4.14.1

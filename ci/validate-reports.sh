#!/usr/bin/env bash
# Runs the validators of others over the reports of a run:
#
#   ci/validate-reports.sh reports/20261126T000316086Z-as.example.test
#
# Forms that the run does not have are drawn first (AUTHSPEC names the program; default: cargo run).
# The validators come from PyPI and npm into a folder of their own below target/. What is missing is
# said by name. GITLAB_DAST_SCHEMA may name GitLab's published dast-report-format.json, which no
# package holds; without it the stricter one of fixtures/schemas is read.
#
# Exit codes: 0 all valid, 1 something is not, 2 usage, 3 a validator could not be installed.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
if [[ $# -ne 1 || ! -f "$1/run.json" ]]; then
    echo "usage: ci/validate-reports.sh RUNFOLDER (a folder with run.json)" >&2
    exit 2
fi
run="$(cd "$1" && pwd)"
tools="$root/target/validators"
schemas="$root/fixtures/schemas"
drawn="$(mktemp -d)"
trap 'rm -rf "$drawn"' EXIT
failed=0
missing=0

say() { printf '%-9s %s\n' "$1" "$2"; }
absent() { say missing "$1"; missing=1; }
check() { # NAME COMMAND..
    local name="$1" output
    shift
    if output="$("$@" 2>&1)"; then say valid "$name${output:+: $output}"; else say INVALID "$name"; echo "$output" | head -40; failed=1; fi
}

authspec() { if [[ -n "${AUTHSPEC:-}" ]]; then "$AUTHSPEC" "$@"; else (cd "$root" && cargo run --quiet -- "$@"); fi; }

while read -r format file; do
    if [[ -f "$run/$file" ]]; then cp "$run/$file" "$drawn/$file"; else authspec report render "$run" --format "$format" --output "$drawn/$file"; fi
done <<'FORMATS'
junit junit.xml
sarif authspec.sarif
markdown summary.md
csv matrix.csv
har exchanges.har
messages messages.ndjson
gitlab-dast gl-dast-report.json
prometheus metrics.prom
otlp otlp.jsonl
FORMATS
cp "$run/run.json" "$drawn/run.json"

mkdir -p "$tools"
python="$tools/python/bin/python"
if [[ ! -x "$python" ]]; then
    python3 -m venv "$tools/python" || absent "python3 with venv"
fi
if [[ -x "$python" ]]; then
    "$python" -m pip install --quiet --disable-pip-version-check 'jsonschema[format-nongpl]' xmlschema lxml junitparser markdown-it-py prometheus-client opentelemetry-proto \
        || absent "jsonschema, xmlschema, junitparser, markdown-it-py, prometheus-client or opentelemetry-proto from PyPI"
    # The source of pytest carries the XSD of Jenkins' xUnit plugin (MIT).
    if [[ ! -f "$tools/junit-10.xsd" ]]; then
        "$python" -m pip download --quiet --disable-pip-version-check --no-deps --no-binary pytest --dest "$tools/pytest" pytest \
            && tar -xzOf "$tools"/pytest/pytest-*.tar.gz --wildcards '*/testing/example_scripts/junit-10.xsd' >"$tools/junit-10.xsd.part" \
            && mv "$tools/junit-10.xsd.part" "$tools/junit-10.xsd" || absent "junit-10.xsd from the source of pytest on PyPI"
    fi
    json() { "$python" "$root/ci/validate_json.py" "$@"; }
    check "run.json against fixtures/run.schema.json" json "$root/fixtures/run.schema.json" "$drawn/run.json"
    check "authspec.sarif against SARIF 2.1.0" json "$schemas/sarif-2.1.0.json" "$drawn/authspec.sarif"
    check "exchanges.har against har-schema" json "$schemas/har/har.json" "$drawn/exchanges.har"
    check "gl-dast-report.json against ${GITLAB_DAST_SCHEMA:-fixtures/schemas/gl-dast-report.json}" \
        json "${GITLAB_DAST_SCHEMA:-$schemas/gl-dast-report.json}" "$drawn/gl-dast-report.json"
    [[ -n "${GITLAB_DAST_SCHEMA:-}" ]] || say missing "GitLab's own dast-report-format.json (GITLAB_DAST_SCHEMA may name it)"
    if [[ -f "$tools/junit-10.xsd" ]]; then
        check "junit.xml against Jenkins' junit-10.xsd" "$python" -c '
import sys, xmlschema
xmlschema.XMLSchema(sys.argv[1]).validate(sys.argv[2])' "$tools/junit-10.xsd" "$drawn/junit.xml"
    fi
    check "junit.xml by junitparser" "$python" -c '
import sys, junitparser
suites = list(junitparser.JUnitXml.fromfile(sys.argv[1]))
names = [case.name for suite in suites for case in suite]
assert len(names) == len(set(names)), "names of cases are not unique"
print(len(suites), "suites,", len(names), "cases")' "$drawn/junit.xml"
    check "summary.md by markdown-it" "$python" -c '
import sys
from markdown_it import MarkdownIt
text = open(sys.argv[1], encoding="utf-8").read()
assert len(text.encode()) < 1_000_000, "too long for a note"
tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(text)
inner = [t for token in tokens for t in (token.children or [])]
assert not any(t.type in ("image", "html_inline") for t in inner), "an image or markup"
assert all(t.info == "auto" for t in inner if t.type == "link_open"), "a link with a text"
print(len(tokens), "tokens,", len(text.encode()), "octets")' "$drawn/summary.md"
    check "matrix.csv by Python's csv" "$python" -c '
import csv, sys
rows = list(csv.reader(open(sys.argv[1], encoding="utf-8", newline=""), strict=True))
assert len({len(row) for row in rows}) == 1, "rows of different length"
assert not any(cell[:1] in "=+-@\t" for row in rows for cell in row if cell), "a formula"
print(len(rows) - 1, "rows")' "$drawn/matrix.csv"
    check "metrics.prom by Prometheus' own client" "$python" "$root/ci/validate_telemetry.py" prometheus "$drawn/metrics.prom"
    check "otlp.jsonl by OpenTelemetry's protocol buffers" "$python" "$root/ci/validate_telemetry.py" otlp "$drawn/otlp.jsonl"
fi

if command -v npm >/dev/null && command -v node >/dev/null; then
    if [[ ! -d "$tools/npm/node_modules/@cucumber/html-formatter" ]]; then
        npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$tools/npm" \
            @cucumber/html-formatter @cucumber/messages ajv \
            || absent "@cucumber/html-formatter, @cucumber/messages or ajv from npm"
    fi
    if [[ -d "$tools/npm/node_modules/@cucumber/html-formatter" ]]; then
        page="$tools/cucumber-$(basename "$run").html"
        check "messages.ndjson by its schema and @cucumber/html-formatter" node "$root/ci/cucumber-html.mjs" "$tools/npm" "$drawn/messages.ndjson" "$page"
    fi
else
    absent "node and npm (for @cucumber/html-formatter)"
fi

[[ $failed -eq 0 ]] || exit 1
[[ $missing -eq 0 ]] || exit 3

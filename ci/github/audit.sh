#!/usr/bin/env bash
# The step Audit of action.yml: runs authspec, or merges parts, says how it went, and ends with the
# exit code of authspec.
#
# Reads INPUT_* (the inputs of the action) and what a runner sets: GITHUB_OUTPUT, GITHUB_STEP_SUMMARY,
# RUNNER_TEMP. Options are built as `--NAME=VALUE`, one word each, so that a value is never read as
# an option, let alone as a command. bash 3.2 suffices.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# Ends before anything is sent. The message holds no value of an input.
usage() {
    echo "::error title=authspec::$1"
    printf 'verdict=usage\nexit-code=2\n' >>"$GITHUB_OUTPUT"
    printf '## authspec: no verdict\n\n%s\n' "$1" >>"$GITHUB_STEP_SUMMARY"
    exit 2
}

command -v jq >/dev/null || usage "this runner lacks jq: install it"
# A line break in a value would begin a line of its own in GITHUB_OUTPUT.
for name in TARGET ISSUER ENVIRONMENT PROFILE TAGS FAIL_ON FAIL_LEVEL MIN_COVERAGE INCONCLUSIVE \
    WAIVERS SHARD MERGE REPORTS BINARY; do
    variable=INPUT_$name
    case ${!variable} in
    *[[:cntrl:]]*) usage "the input $name holds a control character; only args and formats may have several lines" ;;
    esac
done

binary=${INPUT_BINARY:-$RUNNER_TEMP/authspec/bin/authspec}
if [ ! -f "$binary" ] || [ ! -x "$binary" ]; then
    usage "there is no program at the path that the input binary names: give the path of a built authspec"
fi
case $binary in */*) ;; *) binary=./$binary ;; esac

# option NAME VALUE
option() {
    [ -z "$2" ] || arguments+=("--$1=$2")
}

if [ -n "$INPUT_MERGE" ]; then
    # What would be without effect is refused.
    for name in TARGET ISSUER ENVIRONMENT PROFILE TAGS SHARD; do
        variable=INPUT_$name
        [ -z "${!variable}" ] || usage "the input $name has no effect together with merge: leave one of them out"
    done
    case $INPUT_MERGE in /*) parts=$INPUT_MERGE ;; *) parts=./$INPUT_MERGE ;; esac
    [ -d "$parts" ] || usage "the input merge names no folder: give the folder with the parts"
    arguments=(merge)
    while IFS= read -r -d '' part; do
        arguments+=("$part")
    done < <(find "$parts" -type f -name run.json -print0)
    [ "${#arguments[@]}" -gt 1 ] || usage "there is no run.json below the folder that the input merge names"
else
    [ -n "$INPUT_TARGET$INPUT_ISSUER" ] || usage "no target is named: set the input target or issuer"
    arguments=(run)
    option target "$INPUT_TARGET"
    option environment "$INPUT_ENVIRONMENT"
    option profile "$INPUT_PROFILE"
    option tags "$INPUT_TAGS"
    option shard "$INPUT_SHARD"
fi
option fail-on "$INPUT_FAIL_ON"
option fail-level "$INPUT_FAIL_LEVEL"
option min-coverage "$INPUT_MIN_COVERAGE"
option inconclusive "$INPUT_INCONCLUSIVE"
option waivers "$INPUT_WAIVERS"
# Split at blanks without expanding patterns.
set -f
for format in markdown $INPUT_FORMATS; do
    option format "$format"
done
set +f

# A folder of its own: what is found there was written by this run.
case ${INPUT_REPORTS:-.} in /*) reports=$INPUT_REPORTS ;; *) reports=./${INPUT_REPORTS:-.} ;; esac
if ! mkdir -p "$reports" || ! folder=$(mktemp -d "$reports/authspec.XXXXXX"); then
    usage "the folder that the input reports names cannot be written to"
fi
option reports "$folder"
while IFS= read -r argument || [ -n "$argument" ]; do
    argument=${argument%$'\r'}
    [ -z "$argument" ] || arguments+=("$argument")
done <<<"$INPUT_ARGS"
[ -z "$INPUT_ISSUER" ] || arguments+=(-- "$INPUT_ISSUER")

# Findings quote the target. Until the token, which it cannot know, the runner reads no commands.
token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
echo "::stop-commands::$token"
code=0
"$binary" "${arguments[@]}" </dev/null 2>&1 || code=$?
printf '\n::%s::\n' "$token"

run=
for found in "$folder"/*/run.json; do
    [ ! -f "$found" ] || run=${found%/run.json}
done
case $code in
0) verdict=passed ;;
1) verdict=failed ;;
2) verdict=usage ;;
3) verdict=preflight ;;
4) verdict=error ;;
5) verdict=inconclusive ;;
6) verdict=nothing-selected ;;
130) verdict=interrupted ;;
*) verdict=unknown ;;
esac
# Green needs a report that says so: --dry-run or --help among the args judge nothing.
if [ "$code" = 0 ] && ! jq -e '.gate.passed' "$run/run.json" >/dev/null 2>&1; then
    echo "::error title=authspec::it ended with 0 and wrote no report of a passed gate, so nothing is proven"
    code=2 verdict=usage
fi

{
    echo "verdict=$verdict"
    echo "exit-code=$code"
    echo "folder=$folder"
    echo "report=$run"
    for form in sarif:authspec.sarif junit:junit.xml; do
        file=$run/${form#*:}
        [ ! -f "$file" ] || echo "${form%%:*}=$file"
    done
    [ -z "$run" ] || jq -r '.counts as $counts
        | ["pass", "note", "warn", "waived", "inconclusive", "fail", "error", "not_applicable", "untested"][]
        | "\(gsub("_"; "-"))=\($counts[.] // 0)"' "$run/run.json"
} >>"$GITHUB_OUTPUT"
bash "$here/publish.sh" "$verdict" "$code" "$run"
exit "$code"

#!/usr/bin/env bash
# Shows a run on the page of the workflow: annotations and summary. What does not fit is counted.
#
#     publish.sh VERDICT EXIT_CODE RUN     RUN is the folder of the run, or empty
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
verdict=$1 code=$2 run=$3

# Octets. GitHub drops the whole summary of a step above 1 MiB.
most=1000000

if [ -z "$run" ]; then
    echo "::error title=authspec::$verdict (exit code $code), no report was written; the log says why"
    printf '## authspec: %s\n\nExit code %s; no report was written. The log says why.\n' \
        "$verdict" "$code" >>"$GITHUB_STEP_SUMMARY"
    exit
fi

jq -r --from-file "$here/annotations.jq" "$run/run.json"

size=$(($(wc -c <"$run/summary.md")))
if [ "$size" -le "$most" ]; then
    cat "$run/summary.md" >>"$GITHUB_STEP_SUMMARY"
else
    # The word about the cut comes first: the cut may be inside of a code block. Whole lines are kept.
    {
        printf '> **Cut:** about %s of %s octets follow. The whole is summary.md in the folder of the report.\n\n' \
            "$most" "$size"
        head -c "$most" "$run/summary.md" | sed '$d'
    } >>"$GITHUB_STEP_SUMMARY"
fi

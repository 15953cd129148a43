# Findings of a run.json as workflow commands, the worst first.
#
# GitHub shows 10 annotations of a step and drops the others without a word; so where there are more,
# the tenth says how many. Texts of the target are escaped and can neither end a command nor begin one.

def most: 10;

def data: gsub("%"; "%25") | gsub("\r"; "%0D") | gsub("\n"; "%0A");
def property: data | gsub(":"; "%3A") | gsub(","; "%2C");
def shortened: if length > 600 then .[:600] + ".. (shortened; the report has it all)" else . end;

# The line of the profile that names the target, where a file within the checkout does.
def place:
  .target.stanza
  | if . == null or (.file | startswith("/") or startswith("..")) then ""
    else "file=\(.file | property),line=\(.line)," end;

def command($level; $place; $title): "::\($level) \($place)title=\($title | property)::\(shortened | data)";

def message:
  ([.scenarios[] | .deviations[] | "expected \(.expected); got \(.actual)"][0])
  // .reason // ([.scenarios[] | .reason // empty][0]) // .duty;

place as $place
| [
    (.gate | select(.passed | not) | ([.rule] + .reasons | join("; "))
      | command("error"; $place; "authspec: gate failed")),
    (.requirements
      | map(select(.status | IN("error", "fail", "inconclusive", "warn")))
      | sort_by(.status as $s | ["error", "fail", "inconclusive", "warn"] | index($s))[]
      | (if .status | IN("error", "fail") then "error" else "warning" end) as $level
      | "\(.status): \(.id) (\(.level), \(.severity))" as $title
      | message | command($level; $place; $title))
  ]
| if length > most
  then .[: most - 1][], "::warning title=authspec::\(length - most + 1) more findings: see the summary of this job and the report"
  else .[] end

"""action.yml: its steps, as a runner plays them."""

import os
import pathlib
import re
import shutil
import tempfile

import yaml

import bench
from bench import check

ACTION = yaml.safe_load((bench.ROOT / "action.yml").read_text())
STATUSES = ["pass", "note", "warn", "waived", "inconclusive", "fail", "error", "not-applicable",
            "untested"]

# {mark} is a file that none of them may make.
HOSTILE = [
    '"; touch {mark} #',
    "'; touch {mark} #",
    "$(touch {mark})",
    "`touch {mark}`",
    "| touch {mark}",
    "&& touch {mark}",
    "x\ntouch {mark}\nverdict=passed",
    "x\nEOF\nverdict=passed\nfail=0",
    "${{{{ github.token }}}}",
    "${{IFS}}touch${{IFS}}{mark}",
    "--help",
    "--version",
    "*",
    "../../../../..{mark}",
]


class Runner:
    """A runner with a workspace; each play is one use of the action."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.workspace = self.folder / "work"
        self.workspace.mkdir()
        self.mark = self.folder / "pwned"

    def play(self, **inputs):
        values = {name: spec.get("default", "") for name, spec in ACTION["inputs"].items()}
        values["binary"] = str(bench.BINARY)
        values.update({name.replace("_", "-"): value for name, value in inputs.items()})
        outputs, summary = self.folder / "output", self.folder / "summary"
        for file in (outputs, summary):
            file.write_text("")
        env = bench.environment(GITHUB_OUTPUT=str(outputs), GITHUB_STEP_SUMMARY=str(summary),
                                GITHUB_ACTION_PATH=str(bench.ROOT),
                                RUNNER_TEMP=str(self.folder))
        code, log = 0, ""
        for step in ACTION["runs"]["steps"]:
            if "if" in step and not condition(step["if"], values):
                continue
            given = {name: fill(str(text), values) for name, text in step.get("env", {}).items()}
            assert step["shell"] == "bash", step
            done = bench.shell(step["run"], self.workspace, {**env, **given})
            code, log = done.returncode, log + done.stdout
            if code:
                break
        return Play(code, log, outputs.read_text(), summary.read_text())


class Play:
    """What is left of one use."""

    def __init__(self, code, log, output, summary):
        self.code, self.log, self.summary = code, log, summary
        self.lines = output.splitlines()
        self.outputs = dict(line.split("=", 1) for line in self.lines)

    def commands(self):
        """The workflow commands that a runner would read."""
        stopped, found = None, []
        for line in self.log.splitlines():
            if stopped:
                stopped = None if line == f"::{stopped}::" else stopped
            elif line.startswith("::stop-commands::"):
                stopped = line.removeprefix("::stop-commands::")
            elif line.lstrip().startswith("::"):
                found.append(line)
        return found


def condition(text, inputs):
    name, value = re.fullmatch(r"inputs\.([\w-]+) == '([^']*)'", text).groups()
    return inputs[name] == value


def fill(text, inputs):
    """Replaces expressions once, as the runner does: values are not read again."""
    return re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda m: inputs[m[1]], text)


def run():
    with tempfile.TemporaryDirectory() as folder, bench.target() as (issuer, profile):
        runner = Runner(folder)
        (runner.workspace / "authspec.toml").write_text(profile)
        passes(runner)
        names_an_issuer(runner, issuer)
        nothing_is_proven(runner)
        hostile(runner)
        shards(runner)
    findings()


def passes(runner):
    play = runner.play(target="authspec.toml", tags=bench.FEW)
    outputs = play.outputs
    check(play.code == 0 and outputs["verdict"] == "passed" and outputs["exit-code"] == "0",
          "a conformant target: exit code 0, verdict passed", play.log)
    check([outputs[name] for name in ("pass", "fail", "inconclusive")] == ["3", "0", "0"],
            "counts: 3 pass, 0 fail, 0 inconclusive", outputs)
    declared = {name for name in ACTION["outputs"]}
    check(set(outputs) == declared, "every declared output is set, and no other",
          set(outputs) ^ declared)
    report = runner.workspace / outputs["report"]
    files = {"run.json", "report.html", "junit.xml", "authspec.sarif", "summary.md"}
    check({f.name for f in report.iterdir()} == files, "the report has all forms",
          list(report.iterdir()))
    check((runner.workspace / outputs["sarif"]).is_file(), "the SARIF file is where it is said")
    check("gate passed" in play.summary, "the summary of the job says so", play.summary)
    check(play.commands() == [], "no annotations", play.commands())
    inside = play.log.split("::stop-commands::")[1]
    check("gate      passed" in inside, "what authspec prints is not read for commands", play.log)
    check(bench.PASSWORD not in play.log + play.summary, "no password in the log")


def names_an_issuer(runner, issuer):
    args = "--client-id=native\n--redirect-uri=http://127.0.0.1/callback\n--username=alice\n" \
           "--password-env=AUTHSPEC_PASSWORD\n"
    play = runner.play(issuer=issuer, args=args, tags=bench.FEW, fail_on="low", formats="junit")
    check(play.code == 0 and "sarif" not in play.outputs, "an issuer and args in place of a profile",
          play.log)


def nothing_is_proven(runner):
    """Whatever is no verdict is not green."""
    cases = [
        ("a dry run", 2, "usage", dict(target="authspec.toml", args="--dry-run")),
        ("help among the args", 2, "usage", dict(target="authspec.toml", args="--help")),
        ("no target", 2, "usage", {}),
        ("a profile that is not there", 2, "usage", dict(target="no.toml")),
        ("a binary that is not there", 2, "usage", dict(target="authspec.toml", binary="no")),
        ("merge with a target", 2, "usage", dict(target="authspec.toml", merge="parts")),
        ("merge of nothing", 2, "usage", dict(merge="parts")),
        ("a filter that selects nothing", 6, "nothing-selected",
         dict(target="authspec.toml", tags="@token and not @token")),
        ("a target that is down", 3, "preflight",
         dict(issuer="http://127.0.0.1:1", args="--client-id=x\n--redirect-uri=http://127.0.0.1/")),
    ]
    for what, code, verdict, inputs in cases:
        play = runner.play(**inputs)
        told = any(line.startswith("::error") for line in play.commands())
        check(play.code == code and play.outputs["verdict"] == verdict and told and play.summary
              and "report" not in {name for name, value in play.outputs.items() if value},
              f"{what}: exit code {code}, verdict {verdict}, said in annotation and summary",
              f"{play.code} {play.outputs}\n{play.log}")


def hostile(runner):
    """Every input with every hostile value: nothing is executed, no output is smuggled in."""
    for name in ACTION["inputs"]:
        faults = []
        for text in HOSTILE:
            value = text.format(mark=runner.mark)
            inputs = dict(target="authspec.toml", tags=bench.FEW)
            inputs[name.replace("-", "_")] = value
            play = runner.play(**inputs)
            made = runner.mark.is_file()
            # The input reports may make a folder of that name.
            if made:
                runner.mark.unlink()
            shutil.rmtree(runner.mark, ignore_errors=True)
            names = [line.split("=")[0] for line in play.lines]
            agrees = (play.outputs.get("verdict") == "passed") == (play.code == 0)
            whole = len(names) == len(set(names)) and set(names) <= set(ACTION["outputs"])
            ours = all(re.match(r"::(error|warning) (file=[^:]*,)?title=authspec", line)
                       for line in play.commands())
            if made or not agrees or not whole or not ours:
                faults.append((value, play.code, play.lines, play.log[-600:]))
        check(not faults, f"input {name}: {len(HOSTILE)} hostile values", faults)


def shards(runner):
    parts = [runner.play(target="authspec.toml", tags=bench.FEW, shard=f"{n}/2", reports="parts")
             for n in (1, 2)]
    check(all(part.code == 0 for part in parts), "two parts", [part.log for part in parts])
    whole = runner.play(merge="parts")
    check(whole.code == 0 and whole.outputs["pass"] == "3", "their merge: 3 pass", whole.log)
    shutil.rmtree(runner.workspace / parts[0].outputs["folder"])
    lost = runner.play(merge="parts")
    check(lost.code == 2 and lost.outputs["verdict"] == "usage", "a lost part: exit code 2", lost.log)


def findings():
    """A target with many findings: the gate fails and everything is counted."""
    with tempfile.TemporaryDirectory() as folder, bench.target(bench.MANY) as (issuer, profile):
        runner = Runner(folder)
        profile += f'\n[other_resource]\nindicator = "{issuer}/files"\n'
        (runner.workspace / "authspec.toml").write_text(profile)
        play = runner.play(target="authspec.toml", fail_level="should")
        outputs, commands = play.outputs, play.commands()
        check(play.code == 1 and outputs["verdict"] == "failed",
              f"{bench.MANY}: exit code 1, verdict failed", play.log)
        check(os.path.isfile(runner.workspace / outputs["junit"]), "the report is there, too")
        # One more says that the gate failed.
        total = 1 + sum(int(outputs[name]) for name in ("fail", "error", "inconclusive", "warn"))
        check(total > 10 and len(commands) == 10 and f"::{total - 9} more findings" in commands[-1],
              f"{total} annotations are wanted: 9 and how many more", commands)
        check(all("file=authspec.toml,line=" in line for line in commands[:-1]),
              "they stand in the profile", commands)
        cut(runner, runner.workspace / outputs["report"])


def cut(runner, report):
    """A summary beyond GitHub's limit is cut, and says so."""
    text = (report / "summary.md").read_text()
    long = text * (1_100_000 // len(text.encode()) + 1)
    (report / "summary.md").write_text(long)
    summary = runner.folder / "long"
    summary.write_text("")
    done = bench.shell(f"bash '{bench.CI}/github/publish.sh' failed 1 '{report}'", runner.workspace,
                       bench.environment(GITHUB_STEP_SUMMARY=str(summary)))
    shown = summary.read_bytes()
    check(done.returncode == 0 and len(shown) < 1024 * 1024
          and str(len(long.encode())).encode() in shown.splitlines()[0],
          "a summary beyond 1 MiB is cut and says how much", shown[:200])

"""The GitLab template: its jobs in order, with the variables that a runner sets."""

import glob
import pathlib
import tempfile

import yaml

import bench
from bench import check

TEMPLATE = yaml.safe_load((bench.CI / "gitlab/authspec.gitlab-ci.yml").read_text())
HOSTILE = ['"; touch {mark} #', "$(touch {mark})", "`touch {mark}`", "x; touch {mark}", "--help"]


def run():
    for defect, code in ((None, 0), ("CodeReusable", 1)):
        with tempfile.TemporaryDirectory() as folder, bench.target(defect) as (_, profile):
            whole(pathlib.Path(folder), profile, code)
    with tempfile.TemporaryDirectory() as folder, bench.target() as (_, profile):
        hostile(pathlib.Path(folder), profile)


def job(name, folder, **variables):
    """Runs a job and returns its exit code and log; sh, since an image may have no other shell."""
    spec = TEMPLATE[name]
    commands = [str(line) for key in ("before_script", "script") for line in spec.get(key, [])]
    env = bench.environment(AUTHSPEC_TARGET="authspec.toml", CI="true", **variables)
    done = bench.shell("\n".join(commands), folder, env, program=("sh", "-e"))
    return done.returncode, done.stdout


def parts(folder, **variables):
    total = TEMPLATE["authspec-part"]["parallel"]
    return [job("authspec-part", folder, CI_NODE_INDEX=str(n), CI_NODE_TOTAL=str(total), **variables)
            for n in range(1, total + 1)]


def whole(folder, profile, code):
    (folder / "authspec.toml").write_text(profile)
    allowed = TEMPLATE["authspec-part"]["allow_failure"]["exit_codes"]
    done = parts(folder)
    check(all(part[0] in [0, *allowed] for part in done), f"{len(done)} parts are written", done)
    gate, log = job("authspec-gate", folder)
    check(gate == code, f"authspec-gate ends with {code}", log)
    artifacts = TEMPLATE["authspec-gate"]["artifacts"]
    for path in [*artifacts["paths"], *artifacts["reports"].values()]:
        check(glob.glob(str(folder / path)), f"artifact {path}", log)
    for run in glob.glob(str(folder / "authspec-parts/1/*/run.json")):
        pathlib.Path(run).unlink()
    lost, log = job("authspec-gate", folder)
    check(lost == 2, "a lost part: exit code 2", log)


def hostile(folder, profile):
    (folder / "authspec.toml").write_text(profile)
    mark = folder / "pwned"
    faults = []
    for name in ("AUTHSPEC_TARGET", "AUTHSPEC_FAIL_ON", "AUTHSPEC_PACE_MS", "AUTHSPEC_WAIVERS",
                 "CI_NODE_INDEX", "CI_NODE_TOTAL"):
        for text in HOSTILE:
            given = {"CI_NODE_INDEX": "1", "CI_NODE_TOTAL": "4", name: text.format(mark=mark)}
            given = {"AUTHSPEC_TARGET": "authspec.toml", **given}
            spec = "\n".join(map(str, TEMPLATE["authspec-part"]["script"]))
            done = bench.shell(spec, folder, bench.environment(**given), program=("sh", "-e"))
            if mark.exists() or done.returncode == 0:
                faults.append((given, done.returncode, done.stdout))
            mark.unlink(missing_ok=True)
    check(not faults, f"{len(HOSTILE)} hostile values of each variable", faults)

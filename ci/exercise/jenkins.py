"""The Jenkinsfile: its sh steps. They are cut out by their quotes: it takes a Jenkins to parse one."""

import pathlib
import re
import tempfile

import bench
from bench import check

TEXT = (bench.CI / "jenkins/Jenkinsfile").read_text()
STEPS = [a or b for a, b in re.findall(r"\bsh (?:'''(.*?)'''|'([^'\n]*)')", TEXT, re.S)]
VARIABLES = dict(re.findall(r"^ +(\w+) = '([^']*)'", re.search(r"environment \{(.*?)\}", TEXT, re.S)[1],
                            re.M))
PATTERNS = re.findall(r"(?:archiveArtifacts artifacts: |testResults: |pattern: )'([^']*)'", TEXT)

WAIVERS = """[[waiver]]
id = "token.code-single-use"
owner = "the exercise"
reason = "a file of waivers is taken where there is one"
expires = "2000-01-01"
"""


def run():
    bench.not_run("the declarative pipeline itself", "needs a Jenkins; its sh steps run below")
    check(TEXT.count("sh ") and not re.search(r"\bsh\s*\(?\s*\"", TEXT),
          "no sh step has double quotes, in which Groovy would put values")
    for defect, waivers, code in ((None, None, 0), ("CodeReusable", None, 1), (None, WAIVERS, 1)):
        with tempfile.TemporaryDirectory() as folder, bench.target(defect) as (_, profile):
            folder = pathlib.Path(folder)
            (folder / "authspec.toml").write_text(profile)
            if waivers:
                (folder / "waivers.toml").write_text(waivers)
            stage(folder, code, f"{defect or 'a conformant target'}{', waived' if waivers else ''}")


def stage(folder, code, what):
    env = bench.environment(**VARIABLES)
    stale = folder / "authspec-report/yesterday"
    stale.mkdir(parents=True)
    for script in STEPS:
        done = bench.shell(script, folder, env, program=("sh", "-xe"))
        if done.returncode:
            break
    check(done.returncode == code, f"{what}: exit code {code}", done.stdout)
    check(not stale.exists(), "nothing is left of an earlier build")
    check(all(list(folder.glob(pattern)) for pattern in PATTERNS), f"files for {', '.join(PATTERNS)}",
          list(folder.rglob("*")))

"""Linters, each where it is installed."""

import pathlib
import shutil
import subprocess
import tempfile

import bench

CI = "ci"
YAMLLINT = ("{extends: default, rules: {line-length: {max: 130}, document-start: disable, truthy: disable,"
            " comments: disable, comments-indentation: disable}}")

# Tool, arguments, where it comes from.
LINTERS = [
    ("shellcheck", ["ci/exercise.sh", "ci/github/audit.sh", "ci/github/publish.sh"], "shellcheck"),
    ("yamllint", ["--strict", "-d", YAMLLINT, "action.yml", CI], "yamllint"),
    ("actionlint", ["ci/examples/github-audit.yml", "ci/examples/github-shards.yml"], "actionlint"),
    ("check-jsonschema", ["--builtin-schema", "vendor.github-actions", "action.yml"], "check-jsonschema (Python)"),
    ("check-jsonschema", ["--builtin-schema", "vendor.github-workflows", "ci/examples/github-audit.yml",
                          "ci/examples/github-shards.yml"], "check-jsonschema (Python)"),
    ("check-jsonschema", ["--builtin-schema", "vendor.gitlab-ci", "ci/gitlab/authspec.gitlab-ci.yml"],
     "check-jsonschema (Python)"),
    ("zizmor", ["--offline", "--no-progress", "action.yml", "ci/examples/github-audit.yml",
                "ci/examples/github-shards.yml"], "zizmor (Python)"),
    ("kubeconform", ["-strict", "ci/kubernetes"], "kubeconform"),
    ("kubernetes-validate", ["--strict", "ci/kubernetes/cronjob.yaml", "ci/kubernetes/indexed-job.yaml",
                             "ci/kubernetes/merge-job.yaml"], "kubernetes-validate (Python)"),
    ("hadolint", ["ci/Containerfile"], "hadolint"),
]


def filled(argument, folder):
    """A workflow with a commit id where its user puts one; any other argument as it is."""
    if not argument.startswith("ci/examples/"):
        return argument
    copy = folder / pathlib.Path(argument).name
    copy.write_text((bench.ROOT / argument).read_text().replace("COMMIT", "0" * 40))
    return str(copy)


def run():
    with tempfile.TemporaryDirectory() as folder:
        lint(pathlib.Path(folder))


def lint(folder):
    for tool, arguments, source in LINTERS:
        what = " ".join([tool, *(word for word in arguments if "/" in word or word.endswith(".yml"))])
        if not shutil.which(tool):
            bench.not_run(what, f"{source} is not installed")
            continue
        done = subprocess.run([tool, *(filled(word, folder) for word in arguments)], cwd=bench.ROOT, text=True, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        bench.check(done.returncode == 0, what, done.stdout)

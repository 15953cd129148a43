"""Linters, each where it is installed."""

import shutil
import subprocess

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
    ("kubeconform", ["-strict", "ci/kubernetes"], "kubeconform"),
    ("kubernetes-validate", ["--strict", "ci/kubernetes/cronjob.yaml", "ci/kubernetes/indexed-job.yaml",
                             "ci/kubernetes/merge-job.yaml"], "kubernetes-validate (Python)"),
    ("hadolint", ["ci/Containerfile"], "hadolint"),
]


def run():
    for tool, arguments, source in LINTERS:
        what = " ".join([tool, *(word for word in arguments if "/" in word or word.endswith(".yml"))])
        if not shutil.which(tool):
            bench.not_run(what, f"{source} is not installed")
            continue
        done = subprocess.run([tool, *arguments], cwd=bench.ROOT, text=True, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        bench.check(done.returncode == 0, what, done.stdout)

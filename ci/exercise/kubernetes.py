"""The Kubernetes manifests: what their containers run, with the mounted paths put elsewhere."""

import pathlib
import subprocess
import tempfile

import yaml

import bench
from bench import check

FOLDER = bench.CI / "kubernetes"


def documents(name):
    return list(yaml.safe_load_all((FOLDER / name).read_text()))


def template(name):
    """The pod template of the one Job or CronJob in a file."""
    for document in documents(name):
        if document["kind"] == "CronJob":
            return document["spec"]["jobTemplate"]["spec"]["template"]["spec"]
        if document["kind"] == "Job":
            return document["spec"]["template"]["spec"]
    raise ValueError(f"{name} has no Job")


def run():
    bench.not_run("the manifests in a cluster", "needs one; their commands run below")
    for name in sorted(path.name for path in FOLDER.glob("*.yaml")):
        restricted(name)
    nightly()
    indexed()


def restricted(name):
    """What the Pod Security Standard `restricted` asks for, and limits."""
    pod = template(name)
    context = pod["securityContext"]
    holds = [context["runAsNonRoot"] is True, context["runAsUser"] > 0,
             context["seccompProfile"]["type"] == "RuntimeDefault",
             pod["automountServiceAccountToken"] is False]
    for container in pod["containers"]:
        own = container["securityContext"]
        holds += [own["allowPrivilegeEscalation"] is False, own["readOnlyRootFilesystem"] is True,
                  own["capabilities"] == {"drop": ["ALL"]}, "limits" in container["resources"]]
    holds += [not {"hostPath", "emptyDir"} & set(volume) for volume in pod["volumes"]]
    check(all(holds), f"{name} is restricted, read-only and limited", holds)


class Mounts:
    """Folders that stand for mounted volumes."""

    def __init__(self, folder, pod):
        self.paths = {}
        for mount in pod["containers"][0]["volumeMounts"]:
            path = pathlib.Path(folder) / mount["name"]
            path.mkdir(exist_ok=True)
            self.paths[mount["mountPath"]] = path

    def put(self, text):
        for inside, path in self.paths.items():
            text = text.replace(f"{inside}/", f"{path}/").replace(f"={inside}", f"={path}")
        return text


def play(pod, mounts, **variables):
    """Runs the container; a `command` in place of the image's entry point."""
    container = pod["containers"][0]
    words = container.get("command", ["authspec"]) + container.get("args", [])
    env = {item["name"]: item["value"] for item in container.get("env", []) if "value" in item}
    given = bench.environment(**env, **variables)
    return subprocess.run([mounts.put(word) for word in words], cwd="/", env=given, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=600)


def nightly():
    metrics = bench.offers("run", "--prometheus")
    if not metrics:
        bench.not_run("cronjob.yaml with --prometheus", "this authspec has no such option; without it:")
    profile = next(d for d in documents("cronjob.yaml") if d["kind"] == "ConfigMap")["data"]["target.toml"]
    for defect, code in ((None, 0), ("NonceMissing", 1)):
        with tempfile.TemporaryDirectory() as folder, bench.target(defect) as (issuer, _):
            pod = template("cronjob.yaml")
            if not metrics:
                args = pod["containers"][0]["args"]
                args[:] = [word for word in args if not word.startswith("--prometheus=")]
            mounts = Mounts(folder, pod)
            (mounts.paths["/etc/authspec"] / "target.toml").write_text(mounts.put(profile))
            (mounts.paths["/run/secrets/authspec"] / "password").write_text(bench.PASSWORD + "\n")
            # The reference server in place of the placeholders of the profile.
            done = play(pod, mounts, AUTHSPEC_ISSUER=issuer, AUTHSPEC_PACE_MS="0",
                        AUTHSPEC_CLIENT_ID="native", AUTHSPEC_USERNAME="alice",
                        AUTHSPEC_REDIRECT_URI="http://127.0.0.1/callback")
            check(done.returncode == code, f"cronjob.yaml, {defect or 'conformant'}: exit code {code}",
                  done.stdout)
            check("requirements left out in production" in done.stdout,
                  "it says that passive checks alone ran", done.stdout)
            check(list(mounts.paths["/reports"].glob("*/report.html")), "a report")
            if metrics:
                check((mounts.paths["/metrics"] / "authspec.prom").is_file(), "metrics")


def indexed():
    job = next(d for d in documents("indexed-job.yaml") if d["kind"] == "Job")["spec"]
    part, merge = template("indexed-job.yaml"), template("merge-job.yaml")
    variables = {item["name"]: item.get("value") for item in part["containers"][0]["env"]}
    check(job["completions"] == job["parallelism"] == int(variables["SHARDS"]),
          "completions, parallelism and SHARDS agree")
    for defect, code in ((None, 0), ("CodeReusable", 1)):
        with tempfile.TemporaryDirectory() as folder, bench.target(defect) as (_, profile):
            mounts = Mounts(folder, part)
            (mounts.paths["/etc/authspec"] / "target.toml").write_text(profile)
            for index in range(job["completions"]):
                done = play(part, mounts, JOB_COMPLETION_INDEX=str(index), AUTHSPEC_PACE_MS="0")
                check(done.returncode == 0, f"index {index} is written", done.stdout)
            done = play(merge, Mounts(folder, merge))
            check(done.returncode == code, f"merge-job.yaml, {defect or 'conformant'}: exit code {code}",
                  done.stdout)
    with tempfile.TemporaryDirectory() as folder:
        mounts = Mounts(folder, part)
        (mounts.paths["/etc/authspec"] / "target.toml").write_text('issuer = "http://127.0.0.1:1"\n')
        done = play(part, mounts, JOB_COMPLETION_INDEX="0")
        check(done.returncode in (2, 3), "a part that was not audited fails its index", done.stdout)

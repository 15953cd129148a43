"""The Containerfile: with an engine where there is one, else its parts without one."""

import os
import pathlib
import re
import shlex
import shutil
import subprocess
import tempfile

import bench
from bench import check

FILE = bench.CI / "Containerfile"
TAG = "authspec-exercise"
AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"
TEXT = re.sub(r"\\\n\s*", " ", re.sub(r"^#.*\n", "", FILE.read_text(), flags=re.M))
# Instructions by stage: (image, name, [(instruction, words)])
STAGES = [(head.split()[0], head.split()[-1], re.findall(r"^([A-Z]+) (.*)$", body, re.M))
          for head, body in re.findall(r"^FROM (.*)\n((?:(?!FROM ).*\n)*)", TEXT, re.M)]


def engine():
    """A container engine that answers."""
    for name in ("podman", "docker"):
        if shutil.which(name) and subprocess.run([name, "info"], capture_output=True).returncode == 0:
            return name
    return None


def run():
    build, final = STAGES[0], STAGES[-1]
    said = dict(final[2])
    check(final[0] == "scratch" and re.fullmatch(r"[1-9]\d*:[1-9]\d*", said["USER"]),
          "the image is empty but for the program, and its user is not root")
    name = engine()
    if not name:
        bench.not_run("the image", "no container engine answers; its parts run below")
    elif os.environ.get("EXERCISE_BUILD") and whole(name):
        return
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        copied(build, folder)
        if not os.environ.get("EXERCISE_BUILD"):
            bench.not_run("the release build and the image", "EXERCISE_BUILD=1 runs them")
            return
        program = built(build, folder)
        if program:
            (last_stage if name else alone)(final, program, folder)


def whole(name):
    """The Containerfile as it is; false where its base images cannot be had."""
    bases = [image for image, *_ in STAGES if image != "scratch"]
    for image in bases:
        if subprocess.run([name, "pull", "--quiet", image], capture_output=True).returncode:
            bench.not_run(f"{name} build", f"{image} cannot be pulled; its parts run below")
            return False
    done = subprocess.run([name, "build", "--file", FILE, "--tag", TAG, bench.ROOT])
    if check(done.returncode == 0, f"{name} build"):
        audit_inside(name)
    return True


def last_stage(final, program, folder):
    """The image that users run, with the program built here in place of the build stage's."""
    name, parts, context = engine(), folder / "parts", folder / "empty"
    context.mkdir()
    (parts / "reports").mkdir(parents=True)
    for target, source in (("src/target/release/authspec", program), (AUTHORITIES[1:], AUTHORITIES)):
        (parts / target).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, parts / target)
    stage = folder / "Containerfile.last"
    lines = [f"{instruction} {words}" for instruction, words in final[2]]
    stage.write_text("\n".join(["FROM scratch", *lines]) + "\n")
    done = subprocess.run([name, "build", "--build-context", f"build={parts}", "--file", stage,
                           "--tag", TAG, context], text=True, capture_output=True)
    if check(done.returncode == 0, f"{name} build of the last stage", done.stdout + done.stderr):
        audit_inside(name)


def audit_inside(name):
    """An audit in a container with no right, no network and nothing to write but /reports."""
    hardened = ["--rm", "--read-only", "--cap-drop", "all", "--security-opt", "no-new-privileges",
                "--network", "none", "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=512:512"]
    # crun knows one layout of cgroups, runc both.
    runtimes = [[], ["--runtime", "runc"]] if name == "podman" and shutil.which("runc") else [[]]
    for runtime in runtimes:
        done = subprocess.run([name, *runtime, "run", *hardened, TAG, "run", "--reports=/reports"],
                              text=True, capture_output=True)
        if done.returncode not in (125, 126):
            break
    check(done.returncode == 0 and "gate      passed" in done.stdout,
          f"{name} run: an audit inside, without network, rights and a writable root",
          done.stdout + done.stderr)


def copied(build, folder):
    """What the build stage copies is enough for Cargo."""
    for instruction, words in build[2]:
        if instruction == "COPY":
            *sources, target = shlex.split(words)
            for source in sources:
                path = bench.ROOT / source
                if path.is_dir():
                    shutil.copytree(path, folder / target)
                else:
                    shutil.copy(path, folder / target)
    done = subprocess.run(["cargo", "metadata", "--locked", "--no-deps", "--format-version=1"],
                          cwd=folder, text=True, capture_output=True)
    check(done.returncode == 0, "Cargo finds all that its manifest names in what is copied", done.stderr)


def built(build, folder):
    """The RUN instructions; static by glibc where this machine has no musl. Its program, if any."""
    host = subprocess.run(["rustc", "-vV"], text=True, capture_output=True, check=True).stdout
    host = re.search(r"^host: (.*)$", host, re.M)[1]
    env, moved = dict(os.environ), "target/release"
    musl = re.sub("-(gnu|musl)$", "-musl", host)
    if "musl" not in host and has_musl(musl):
        # Alpine's Rust builds for musl by itself; another one is told to, with musl's own compiler.
        moved = f"target/{musl}/release"
        env.update({"CARGO_BUILD_TARGET": musl, f"CC_{musl.replace('-', '_')}": "musl-gcc",
                    "CARGO_TARGET_DIR": str(folder / "target")})
    elif "musl" not in host:
        bench.not_run("a build for musl", f"this Rust builds for {host} (rustup target add {musl} and "
                      "musl-gcc change that); the same commands follow, static with glibc")
        # With a target named, build scripts and macros are not static.
        moved = f"target/{host}/release"
        env.update(RUSTFLAGS="-C target-feature=+crt-static", CARGO_BUILD_TARGET=host,
                   CARGO_TARGET_DIR=str(folder / "target"))
    for instruction, command in build[2]:
        if instruction == "RUN" and ("cargo " in command or "target/" in command):
            done = subprocess.run(["sh", "-c", command.replace("target/release", moved)], cwd=folder,
                                  env=env, text=True, capture_output=True)
            if not check(done.returncode == 0, f"RUN {command}", done.stdout + done.stderr):
                return None
    return folder / moved / "authspec"


def has_musl(target):
    """This Rust and a C compiler can build for musl."""
    if not shutil.which("musl-gcc"):
        return False
    sysroot = subprocess.run(["rustc", "--print", "sysroot"], text=True, capture_output=True, check=True)
    return (pathlib.Path(sysroot.stdout.strip()) / "lib/rustlib" / target).is_dir()


def alone(final, program, folder):
    """The program in a root of its own, as the last stage lays it, as its user and read-only."""
    root, reports = folder / "root", folder / "reports"
    reports.mkdir()
    os.chown(reports, 65532, 65532)
    sources = {"/src/target/release/authspec": program, "/reports": None}
    for instruction, words in final[2]:
        if instruction == "COPY":
            source, target = [word for word in shlex.split(words) if not word.startswith("--")]
            place = root / target.lstrip("/")
            place.parent.mkdir(parents=True, exist_ok=True)
            source = sources.get(source, pathlib.Path(source))
            shutil.copy(source, place) if source else place.mkdir()
    user = dict(final[2])["USER"]
    command = (f"mount --bind {root} {root} && mount -o remount,ro,bind {root} && "
               f"mount --bind {reports} {root}/reports && "
               f"exec chroot --userspec={user} {root} /authspec run --reports=/reports")
    done = subprocess.run(["unshare", "--mount", "sh", "-c", command], text=True, capture_output=True)
    if "Operation not permitted" in done.stderr or "must be superuser" in done.stderr:
        bench.not_run("the program alone", done.stderr.strip())
        return
    check(done.returncode == 0 and "gate      passed" in done.stdout,
          f"an audit as user {user} in a read-only root with the program and its authorities alone",
          done.stdout + done.stderr)
    check(list(reports.glob("*/run.json")), "its report is in /reports")

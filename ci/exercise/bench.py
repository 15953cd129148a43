"""What all parts share: the program, the reference server as a target, and the list of results."""

import contextlib
import os
import pathlib
import re
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
CI = ROOT / "ci"
BINARY = pathlib.Path(os.environ["AUTHSPEC_BINARY"]).resolve()

# The seeded user of the reference server; its password is fixed and public.
PASSWORD = "correct horse battery staple"

# A seeded defect that shows in ten requirements with the profile below and a second API, as warnings.
MANY = "GarbageTokenErrorMissing"

# A few requirements, so that an audit takes a moment.
FEW = "@token.code-single-use or @pkce.verifier-mismatch or @discovery.issuer-identical"

_counts = {"ok": 0, "bad": 0, "not run": 0}


def check(holds, what, detail=""):
    """Notes one result; the detail is shown where it does not hold."""
    word = "ok" if holds else "bad"
    _counts[word] += 1
    print(f"  {word:8}{what}")
    if not holds and detail:
        print("          " + str(detail).strip()[-3000:].replace("\n", "\n          "))
    return holds


def not_run(what, reason):
    """Names what could not be exercised here."""
    _counts["not run"] += 1
    print(f"  not run {what}: {reason}")


def summary():
    """Prints the totals; the exit code."""
    print("\n" + ", ".join(f"{count} {word}" for word, count in _counts.items()))
    return 1 if _counts["bad"] or not _counts["ok"] else 0


def environment(**more):
    """A small environment of a job: nothing of ours but what is named."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    kept["PATH"] = f"{BINARY.parent}:{kept.get('PATH', '')}"
    kept["AUTHSPEC_PASSWORD"] = PASSWORD
    return {**kept, **more}


def shell(command, folder, env, program=("bash", "--noprofile", "--norc", "-eo", "pipefail")):
    """Runs the text of a script as CI systems do, from a file."""
    with tempfile.NamedTemporaryFile("w", suffix=".sh") as script:
        script.write(command)
        script.flush()
        return subprocess.run([*program, script.name], cwd=folder, env=env, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=600)


def offers(command, option):
    """Whether that command of the program has the option."""
    text = subprocess.run([BINARY, command, "--help"], text=True, capture_output=True,
                          check=True).stdout
    return re.search(rf"{re.escape(option)}\b", text) is not None


@contextlib.contextmanager
def target(defect=None):
    """The reference server on a free port, with a profile: (issuer, text of the profile)."""
    arguments = [BINARY, "serve"] + (["--defect", defect] if defect else [])
    server = subprocess.Popen(arguments, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL)
    try:
        issuer = server.stdout.readline().strip()
        if not issuer:
            raise RuntimeError(f"{' '.join(map(str, arguments))} does not start")
        yield issuer, f"""issuer = "{issuer}"

[[clients]]
id = "native"
redirect_uris = ["http://127.0.0.1/callback"]
scope = "openid api:read"

[user]
username = "alice"
password = "env:AUTHSPEC_PASSWORD"

[resource]
url = "{issuer}/api/profile"
"""
    finally:
        server.terminate()
        server.wait(10)

"""Exercises the CI integrations; see ci/exercise.sh."""

import sys

import bench
import container
import github
import gitlab
import jenkins
import kubernetes
import lint

PARTS = {
    "lint": lint.run,
    "github": github.run,
    "gitlab": gitlab.run,
    "jenkins": jenkins.run,
    "kubernetes": kubernetes.run,
    "container": container.run,
}


def main(names):
    unknown = set(names) - set(PARTS)
    if unknown:
        sys.exit(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    for name, part in PARTS.items():
        if not names or name in names:
            print(f"\n{name}")
            part()
    return bench.summary()


sys.exit(main(sys.argv[1:]))

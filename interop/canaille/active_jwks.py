"""Turns the key that canaille made, JSON on standard input, into the line of its configuration."""

import json
import sys

key = {"alg": "RS256", "use": "sig"} | json.load(sys.stdin)
members = ", ".join(f"{name} = {json.dumps(value)}" for name, value in key.items())
print(f"ACTIVE_JWKS = [{{{members}}}]")

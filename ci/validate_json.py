"""Validates a JSON document, or each line of an .ndjson file, against a schema beside its siblings."""

import json
import pathlib
import sys

from jsonschema import FormatChecker
from jsonschema.validators import validator_for
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT7


def main(schema_path: str, document_path: str) -> int:
    path = pathlib.Path(schema_path)
    schema = json.loads(path.read_text(encoding="utf-8"))
    resources = []
    for sibling in path.parent.glob("*.json"):
        content = json.loads(sibling.read_text(encoding="utf-8"))
        resource = Resource.from_contents(content, default_specification=DRAFT7)
        resources += [(name, resource) for name in {sibling.name, content.get("$id", sibling.name)}]
    validator = validator_for(schema)(
        schema, registry=Registry().with_resources(resources), format_checker=FormatChecker()
    )
    text = pathlib.Path(document_path).read_text(encoding="utf-8")
    documents = text.splitlines() if document_path.endswith(".ndjson") else [text]
    faults = 0
    for number, document in enumerate(documents, start=1):
        for fault in validator.iter_errors(json.loads(document)):
            faults += 1
            if faults <= 20:
                print(f"document {number}, {fault.json_path}: {fault.message[:300]}")
    if not faults:
        print(f"{len(documents)} document{'s' if len(documents) > 1 else ''}")
    return 1 if faults else 0


sys.exit(main(*sys.argv[1:]))

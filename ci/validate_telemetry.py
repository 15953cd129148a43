"""Reads metrics and spans of a run with the parsers of those who defined the formats.

    validate_telemetry.py prometheus FILE | otlp FILE
"""

import json
import sys

# A whole audit yields fewer; more would be a series for each value of something unbounded.
MOST_SERIES = 2000


def prometheus(text: str) -> str:
    from prometheus_client.parser import text_string_to_metric_families

    families = list(text_string_to_metric_families(text))
    names = [family.name for family in families]
    assert len(names) == len(set(names)), "a family occurs twice"
    series = [(sample.name, tuple(sorted(sample.labels.items())))
              for family in families for sample in family.samples]
    assert len(series) == len(set(series)), "a series occurs twice"
    assert len(series) < MOST_SERIES, "too many series"
    for family in families:
        assert family.documentation and family.type != "unknown", f"{family.name} says not what it is"
    for wanted in ("authspec_gate_passed", "authspec_exit_code", "authspec_run_timestamp_seconds"):
        assert wanted in names, f"{wanted} is missing"
    return f"{len(families)} families, {len(series)} series"


def otlp(text: str) -> str:
    from google.protobuf import json_format
    from opentelemetry.proto.metrics.v1.metrics_pb2 import MetricsData
    from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

    spans, metrics = [], []
    for line in text.splitlines():
        kind = TracesData if "resourceSpans" in json.loads(line) else MetricsData
        # Unknown members are faults. Ids are hexadecimal in OTLP, where Protocol Buffers has base64.
        data = json_format.Parse(line, kind())
        if kind is TracesData:
            spans += [s for r in data.resource_spans for c in r.scope_spans for s in c.spans]
        else:
            metrics += [m for r in data.resource_metrics for c in r.scope_metrics for m in c.metrics]
    raw = [s for line in text.splitlines() for r in json.loads(line).get("resourceSpans", [])
           for c in r["scopeSpans"] for s in c["spans"]]
    ids = [span["spanId"] for span in raw]
    assert spans and metrics, "spans or metrics are missing"
    assert len(ids) == len(set(ids)), "a span id occurs twice"
    assert all(len(bytes.fromhex(s["spanId"])) == 8 and len(bytes.fromhex(s["traceId"])) == 16
               for s in raw), "an id of another length"
    roots = [s for s in raw if "parentSpanId" not in s]
    assert len(roots) == 1, f"{len(roots)} roots"
    assert all(s.get("parentSpanId") in ids for s in raw if s not in roots), "a parent is missing"
    for span in spans:
        assert 0 < span.start_time_unix_nano <= span.end_time_unix_nano, f"{span.name} ends before it begins"
    for metric in metrics:
        points = getattr(metric, metric.WhichOneof("data")).data_points
        for point in points if metric.WhichOneof("data") == "histogram" else []:
            assert len(point.bucket_counts) == len(point.explicit_bounds) + 1, metric.name
            assert sum(point.bucket_counts) == point.count, metric.name
    return f"{len(spans)} spans, {len(metrics)} metrics"


with open(sys.argv[2], encoding="utf-8") as file:
    print({"prometheus": prometheus, "otlp": otlp}[sys.argv[1]](file.read()))

//! The metrics of a run.

use serde_json::{Value, json};

use super::super::distinct::Distinct;
use super::super::latency::{BOUNDS, Histogram, by_endpoint, seconds};
use super::super::moment::Moments;
use super::value::{attributes, nanos};
use crate::model::report::Report;
use crate::model::verdict::Status;

/// `AGGREGATION_TEMPORALITY_DELTA`: each run counts for itself.
const DELTA: u8 = 1;

/// Verdicts, the gate, and how long the endpoints took to answer.
pub(super) fn of(report: &Report, exchanges: &[Distinct<'_>], moments: Moments) -> Vec<Value> {
    let (start, end) = (nanos(moments.at(0)), nanos(moments.end(report)));
    let point = |members: Value, attributes: Vec<Value>| {
        let mut point = json!({
            "startTimeUnixNano": start, "timeUnixNano": end, "attributes": attributes
        });
        if let (Some(point), Value::Object(members)) = (point.as_object_mut(), members) {
            point.extend(members);
        }
        point
    };
    let integer = |value: u64| json!({ "asInt": value.to_string() });
    let verdicts = Status::ALL.iter().map(|status| {
        let count = report.counts.get(status).copied().unwrap_or(0);
        let attributes = attributes([("authspec.status", json!(status.as_str()))]);
        point(integer(u64::try_from(count).unwrap_or(u64::MAX)), attributes)
    });
    let latency = by_endpoint(exchanges).into_iter().map(|(endpoint, found)| {
        point(histogram(&found), attributes([("authspec.endpoint", json!(endpoint))]))
    });
    vec![
        json!({
            "name": "authspec.requirements",
            "description": "requirements by status",
            "unit": "{requirement}",
            "gauge": { "dataPoints": verdicts.collect::<Vec<_>>() },
        }),
        json!({
            "name": "authspec.gate.passed",
            "description": "1 where nothing stops a release, else 0",
            "unit": "1",
            "gauge": { "dataPoints": [point(integer(report.gate.passed.into()), vec![])] },
        }),
        json!({
            "name": "authspec.requests",
            "description": "requests sent by the run",
            "unit": "{request}",
            "sum": {
                "aggregationTemporality": DELTA,
                "isMonotonic": true,
                "dataPoints": [point(integer(report.requests), vec![])],
            },
        }),
        json!({
            "name": "authspec.endpoint.latency",
            "description": "time until an answer was complete, by endpoint",
            "unit": "s",
            "histogram": {
                "aggregationTemporality": DELTA,
                "dataPoints": latency.collect::<Vec<_>>(),
            },
        }),
    ]
}

fn histogram(found: &Histogram) -> Value {
    json!({
        "count": found.count.to_string(),
        "sum": seconds(found.sum_us),
        "bucketCounts": found.buckets.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "explicitBounds": BOUNDS,
    })
}

//! What the bundle says of the run: an in-toto Statement v1 with the test-result predicate v0.1, in a
//! DSSE envelope.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::key::{PublicKey, SigningKey};
use crate::model::report::Report;
use crate::model::verdict::Status;

const STATEMENT: &str = "https://in-toto.io/Statement/v1";
const PREDICATE: &str = "https://in-toto.io/attestation/test-result/v0.1";
const PAYLOAD: &str = "application/vnd.in-toto+json";

/// A DSSE envelope (v1.0).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Envelope {
    #[serde(rename = "payloadType")]
    payload_type: String,
    payload: String,
    pub(super) signatures: Vec<Signature>,
}

/// A signature of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Signature {
    /// SHA-256 of the public key as `SubjectPublicKeyInfo`, in hexadecimal.
    pub(super) keyid: String,
    sig: String,
}

/// The statement on the run: the subject is the manifest of the bundle, which names all the rest.
pub(super) fn statement(report: &Report, manifest_sha256: &str) -> Value {
    let with = |wanted: &[Status]| -> Vec<&str> {
        let has = report.requirements.iter().filter(|r| wanted.contains(&r.status));
        has.map(|r| r.id.as_str()).collect()
    };
    let warned = with(&[Status::Warn, Status::Note]);
    let result = match (report.gate.passed, warned.is_empty()) {
        (false, _) => "FAILED",
        (true, false) => "WARNED",
        (true, true) => "PASSED",
    };
    json!({
        "_type": STATEMENT,
        "subject": [{"name": "manifest.json", "digest": {"sha256": manifest_sha256}}],
        "predicateType": PREDICATE,
        "predicate": {
            "result": result,
            "configuration": [{
                "name": report.run,
                "uri": report.target.issuer,
                "annotations": {
                    "tool": report.tool,
                    "profile": report.profile.as_str(),
                    "filter": report.filter,
                    "gate": report.gate.rule,
                },
            }],
            "passedTests": with(&[Status::Pass]),
            "warnedTests": warned,
            "failedTests": with(&[Status::Fail, Status::Error, Status::Inconclusive]),
        },
    })
}

impl Envelope {
    /// The statement, signed if there is a key.
    pub(super) fn of(statement: &Value, key: Option<&SigningKey>) -> Result<Self, String> {
        let payload = statement.to_string();
        let signature = |key: &SigningKey| {
            let sig = STANDARD.encode(key.sign(&encoded(PAYLOAD, payload.as_bytes()))?);
            Ok::<_, String>(Signature { keyid: key.public().id(), sig })
        };
        Ok(Self {
            payload_type: PAYLOAD.into(),
            payload: STANDARD.encode(&payload),
            signatures: key.map(signature).transpose()?.into_iter().collect(),
        })
    }

    /// The statement; `None` where there is none.
    pub(super) fn statement(&self) -> Option<Value> {
        let payload = STANDARD.decode(&self.payload).ok()?;
        serde_json::from_slice(&payload).ok().filter(|_| self.payload_type == PAYLOAD)
    }

    /// One of the signatures is that of this key.
    pub(super) fn is_signed_by(&self, key: &PublicKey) -> bool {
        let Ok(payload) = STANDARD.decode(&self.payload) else { return false };
        let signed = encoded(&self.payload_type, &payload);
        self.signatures.iter().any(|signature| {
            let octets = STANDARD.decode(&signature.sig);
            signature.keyid == key.id() && octets.is_ok_and(|octets| key.verifies(&signed, &octets))
        })
    }
}

/// The pre-authentication encoding: what is signed.
fn encoded(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_signed_is_encoded_as_the_specification_shows() {
        assert_eq!(
            encoded("http://example.com/HelloWorld", b"hello world"),
            b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
        );
    }
}

//! What the documents say apart from the members that plain OAuth requires, and by which request
//! they are swayed.

use axum::http::HeaderMap;
use serde_json::{Value, json};

use super::Policy;
use crate::defect::Defect::{
    DocumentsDisagreeOnEndpoints, DocumentsDisagreeOnKeys, ForwardedHostTrusted,
    ForwardedProtoTrusted, ForwardedTrusted, IdTokenAlgorithmsMissing, ResourceMetadataAsText,
    ResourceMetadataEmptyList, ResourceMetadataForeign, ResourceMetadataMissing,
    ResourceMetadataTrailingSlash, Rs256NotListed, SubjectTypeUnknown, SubjectTypesMissing,
};

fn set(document: &mut Value, member: &str, value: Value) {
    if let Some(members) = document.as_object_mut() {
        match value {
            Value::Null => drop(members.remove(member)),
            value => drop(members.insert(member.to_owned(), value)),
        }
    }
}

impl Policy {
    /// The base of all addresses: the issuer, whatever a client says about proxies (RFC 9700 §4.13).
    pub(crate) fn base_of_addresses(&self, issuer: &str, headers: &HeaderMap) -> String {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let host = match self.defect {
            Some(ForwardedHostTrusted) => header("x-forwarded-host"),
            Some(ForwardedTrusted) => header("forwarded").and_then(|v| v.strip_prefix("host=")),
            _ => None,
        };
        let proto = header("x-forwarded-proto").filter(|_| self.has(ForwardedProtoTrusted));
        let (scheme, authority) = issuer.split_once("://").unwrap_or(("https", issuer));
        format!("{}://{}", proto.unwrap_or(scheme), host.unwrap_or(authority))
    }

    /// The members of both metadata documents: the same, and all that OpenID Connect Discovery 1.0
    /// §3 requires.
    pub(crate) fn openid_metadata(
        &self,
        mut document: Value,
        is_openid: bool,
        base: &str,
    ) -> Value {
        let algorithms = "id_token_signing_alg_values_supported";
        match self.defect {
            Some(DocumentsDisagreeOnKeys) if is_openid => {
                set(&mut document, "jwks_uri", json!(format!("{base}/keys")));
            }
            Some(DocumentsDisagreeOnEndpoints) if is_openid => {
                set(&mut document, "revocation_endpoint", json!(format!("{base}/oauth/revoke")));
            }
            Some(SubjectTypesMissing) => set(&mut document, "subject_types_supported", Value::Null),
            Some(SubjectTypeUnknown) => {
                set(&mut document, "subject_types_supported", json!(["public", "ephemeral"]));
            }
            Some(IdTokenAlgorithmsMissing) => set(&mut document, algorithms, Value::Null),
            Some(Rs256NotListed) => set(&mut document, algorithms, json!(["ES256"])),
            _ => {}
        }
        document
    }

    /// The metadata of the API as published, if it is (RFC 9728 §3.2).
    pub(crate) fn resource_metadata(&self, mut document: Value, resource: &str) -> Option<Value> {
        match self.defect {
            Some(ResourceMetadataMissing) => return None,
            Some(ResourceMetadataForeign) => {
                set(&mut document, "resource", json!("https://api.example.test"));
            }
            Some(ResourceMetadataTrailingSlash) => {
                set(&mut document, "resource", json!(format!("{resource}/")));
            }
            Some(ResourceMetadataEmptyList) => set(&mut document, "scopes_supported", json!([])),
            _ => {}
        }
        Some(document)
    }

    /// The media type of the metadata of the API.
    pub(crate) fn resource_metadata_media_type(&self) -> &'static str {
        if self.has(ResourceMetadataAsText) { "text/plain" } else { "application/json" }
    }
}

//! What the server asks wallets for (OpenID for Verifiable Presentations 1.0 §6, Digital Credentials
//! Query Language): one credential with the user's email address, in one of two formats.

use serde_json::{Value, json};

use crate::seeds;

/// A credential format (OpenID for Verifiable Presentations 1.0 Appendix B).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// SD-JWT VC, `dc+sd-jwt`.
    SdJwtVc,
    /// A JWT VC in a JWT VP, `jwt_vc_json`.
    JwtVc,
}

/// A credential query (§6.1).
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct CredentialQuery {
    pub(crate) id: &'static str,
    pub(crate) format: Format,
    /// The claims path (§7) to the email address, the one claim that is asked for.
    email: &'static [&'static str],
}

const QUERIES: [CredentialQuery; 2] = [
    CredentialQuery { id: "login", format: Format::SdJwtVc, email: &["email"] },
    CredentialQuery {
        id: "login_jwt_vc",
        format: Format::JwtVc,
        email: &["credentialSubject", "email"],
    },
];

/// The `dcql_query`: any one of the queries will do.
pub(crate) fn dcql_query() -> Value {
    json!({
        "credentials": QUERIES.each_ref().map(CredentialQuery::json),
        "credential_sets": [{"options": QUERIES.each_ref().map(|query| [query.id])}],
    })
}

impl CredentialQuery {
    /// The query with this identifier.
    pub(crate) fn named(id: &str) -> Option<&'static Self> {
        QUERIES.iter().find(|query| query.id == id)
    }

    /// The query for credentials of this format.
    pub(crate) fn of_format(format: Format) -> Option<&'static Self> {
        QUERIES.iter().find(|query| query.format == format)
    }

    fn json(&self) -> Value {
        let (format, meta) = match self.format {
            Format::SdJwtVc => ("dc+sd-jwt", json!({"vct_values": [seeds::CREDENTIAL_VCT]})),
            Format::JwtVc => (
                "jwt_vc_json",
                json!({"type_values": [["VerifiableCredential", seeds::CREDENTIAL_VC_TYPE]]}),
            ),
        };
        json!({"id": self.id, "format": format, "meta": meta, "claims": [{"path": self.email}]})
    }

    /// Whether the credential is of the type that was asked for: `vct`, or all of `type` (Appendix B
    /// of the specification, on `vct_values` and `type_values`).
    pub(crate) fn is_type_of(&self, credential: &Value) -> bool {
        match self.format {
            Format::SdJwtVc => credential["vct"] == seeds::CREDENTIAL_VCT,
            Format::JwtVc => {
                ["VerifiableCredential", seeds::CREDENTIAL_VC_TYPE].iter().all(|wanted| {
                    credential["type"].as_array().is_some_and(|has| has.iter().any(|t| t == wanted))
                })
            }
        }
    }

    /// The email address, if the credential has what was asked for.
    pub(crate) fn email<'a>(&self, credential: &'a Value) -> Option<&'a str> {
        self.email.iter().try_fold(credential, |value, name| value.get(name))?.as_str()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_of_the_two_formats_is_asked_for() {
        let query = dcql_query();
        assert_eq!(query["credential_sets"], json!([{"options": [["login"], ["login_jwt_vc"]]}]));
        assert_eq!(
            query["credentials"][0],
            json!({
                "id": "login", "format": "dc+sd-jwt",
                "meta": {"vct_values": [seeds::CREDENTIAL_VCT]}, "claims": [{"path": ["email"]}],
            })
        );
        assert_eq!(CredentialQuery::named("other"), None);
    }

    #[test]
    fn type_and_claims_decide() {
        let sd_jwt = CredentialQuery::of_format(Format::SdJwtVc).unwrap();
        assert!(sd_jwt.is_type_of(&json!({"vct": seeds::CREDENTIAL_VCT})));
        assert!(!sd_jwt.is_type_of(&json!({"vct": "other"})) && !sd_jwt.is_type_of(&json!({})));
        assert_eq!(sd_jwt.email(&json!({"email": "a@b"})), Some("a@b"));
        assert_eq!(sd_jwt.email(&json!({"email": ["a@b"]})), None);
        let jwt_vc = CredentialQuery::named("login_jwt_vc").unwrap();
        assert!(jwt_vc.is_type_of(&json!({"type": ["LoginCredential", "VerifiableCredential"]})));
        assert!(!jwt_vc.is_type_of(&json!({"type": ["VerifiableCredential"]})));
        assert!(!jwt_vc.is_type_of(&json!({"type": "LoginCredential"})));
        assert_eq!(jwt_vc.email(&json!({"credentialSubject": {"email": "a@b"}})), Some("a@b"));
        assert_eq!(jwt_vc.email(&json!({"email": "a@b"})), None);
    }
}

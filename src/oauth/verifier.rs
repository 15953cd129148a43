//! Who a verifier is: the prefix of its `client_id` says where the key is found that signs its
//! requests (OpenID for Verifiable Presentations 1.0 §5.9.3).

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rustls_pki_types::{CertificateDer, ServerName};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use webpki::EndEntityCert;

use super::did_key;
use super::jose::Jws;
use super::public_key::point_of_certificate;

/// Whether the verifier of that `client_id` signed the request; says why not otherwise.
///
/// The outer error says why nobody can tell here: another prefix, or a key of another kind.
pub fn signed(request: &Jws, client_id: &str) -> Result<Result<(), String>, String> {
    // Before OpenID4VP 1.0 a DID had no prefix.
    let did = client_id.strip_prefix("decentralized_identifier:").unwrap_or(client_id);
    if did.starts_with("did:key:") {
        did_key::point(did)?;
        return Ok(did_key::verify(request, did));
    }
    if let Some(encoded) = did.strip_prefix("did:jwk:") {
        return jwk(encoded).map(|key| request.verify(&json!({"keys": [key]})));
    }
    match client_id.split_once(':') {
        Some(("x509_hash", hash)) => by_certificate(request, |leaf| {
            match URL_SAFE_NO_PAD.encode(Sha256::digest(leaf)) == hash {
                true => Ok(()),
                false => Err("the certificate in x5c has another hash than client_id"),
            }
        }),
        Some(("x509_san_dns", host)) => {
            by_certificate(request, |leaf| match has_name(leaf, host) {
                true => Ok(()),
                false => Err("the certificate in x5c does not have the DNS name of client_id"),
            })
        }
        other => {
            let form = other.map_or(client_id, |(prefix, _)| prefix);
            Err(format!(
                "client_id is none of did:key, did:jwk, x509_hash and x509_san_dns; got {form}"
            ))
        }
    }
}

/// The key of a did:jwk, of which a DID URL may name it by a fragment.
fn jwk(encoded: &str) -> Result<Value, String> {
    let encoded = encoded.split('#').next().unwrap_or(encoded);
    let octets = URL_SAFE_NO_PAD.decode(encoded).ok();
    let key: Option<Value> = octets.and_then(|octets| serde_json::from_slice(&octets).ok());
    let mut key = key.ok_or("client_id is a did:jwk without a JWK")?;
    if let Some(members) = key.as_object_mut() {
        // The DID is its name; a kid within it is no part of that.
        members.remove("kid");
    }
    match key["crv"] == "P-256" {
        true => Ok(key),
        false => Err("a did:jwk of another kind than P-256".into()),
    }
}

/// The leaf of `x5c` is that of the verifier, and its key signed. Whom the chain ends at is not judged.
fn by_certificate(
    request: &Jws,
    belongs: impl FnOnce(&[u8]) -> Result<(), &'static str>,
) -> Result<Result<(), String>, String> {
    let leaf = request.header.get("x5c").and_then(|chain| chain.get(0)?.as_str());
    let Some(leaf) = leaf.and_then(|text| STANDARD.decode(text).ok()) else {
        return Ok(Err("no certificate in x5c".into()));
    };
    if let Err(why) = belongs(&leaf) {
        return Ok(Err(why.to_owned()));
    }
    let point = point_of_certificate(&leaf).ok_or("a certificate of another kind than P-256")?;
    Ok(request.verify_with("ES256", |signed, signature| {
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
        key.verify(signed, signature).is_ok()
    }))
}

/// Whether the certificate has this DNS name among its alternative names (RFC 5280 §4.2.1.6, wildcards
/// as in RFC 9525 §6.3). Its time is not judged.
fn has_name(der: &[u8], host: &str) -> bool {
    let der = CertificateDer::from(der);
    match (EndEntityCert::try_from(&der), ServerName::try_from(host)) {
        (Ok(leaf), Ok(name @ ServerName::DnsName(_))) => {
            leaf.verify_is_valid_for_subject_name(&name).is_ok()
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::key::{Key, Seal};
    use crate::oauth::object;

    const KEY: &str = include_str!("../../fixtures/keys/attacker-ec.pem");
    const EC: &str = include_str!("../../fixtures/keys/verifier-ec.crt");
    const RSA: &str = include_str!("../../fixtures/keys/attacker-rsa.crt");

    fn leaf(pem: &str) -> String {
        pem.lines().filter(|line| !line.starts_with("-----")).collect()
    }

    fn hash(pem: &str) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(STANDARD.decode(leaf(pem)).unwrap()))
    }

    fn request(header: Value, seal: Seal<'_>) -> Jws {
        Jws::read(&seal.compact(&object(header), &object(json!({})))).unwrap()
    }

    #[test]
    fn a_certificate_counts_by_its_hash_or_its_name() {
        let key = Key::read(KEY).unwrap();
        let of =
            |client_id: &str, seal| signed(&request(json!({"x5c": [leaf(EC)]}), seal), client_id);
        for client_id in
            [format!("x509_hash:{}", hash(EC)), "x509_san_dns:verifier.example.test".to_owned()]
        {
            assert_eq!(of(&client_id, Seal::Signed(&key)), Ok(Ok(())), "{client_id}");
            assert!(of(&client_id, Seal::Altered(&key)).unwrap().is_err(), "{client_id}");
            assert!(of(&client_id, Seal::Unsigned).unwrap().is_err(), "{client_id}");
            let bare = request(json!({}), Seal::Signed(&key));
            assert!(signed(&bare, &client_id).unwrap().unwrap_err().contains("no certificate"));
        }
        for (client_id, why) in [
            ("x509_hash:AAAA", "another hash"),
            ("x509_san_dns:other.example.test", "the DNS name"),
            ("x509_san_dns:127.0.0.1", "the DNS name"),
        ] {
            let flaw = of(client_id, Seal::Signed(&key)).unwrap().unwrap_err();
            assert!(flaw.contains(why), "{client_id}: {flaw}");
        }
    }

    #[test]
    fn a_did_of_a_jwk_holds_its_key() {
        let (key, other) = (Key::generate().unwrap(), Key::generate().unwrap());
        let did = |jwk: &Value| format!("did:jwk:{}", URL_SAFE_NO_PAD.encode(jwk.to_string()));
        let mut named = key.jwk.clone();
        named["kid"] = "of the operator".into();
        for client_id in [
            did(&key.jwk),
            format!("decentralized_identifier:{}", did(&key.jwk)),
            format!("decentralized_identifier:{}", did(&named)),
        ] {
            let header = json!({"kid": format!("{}#0", did(&key.jwk))});
            let of = |seal| signed(&request(header.clone(), seal), &client_id);
            assert_eq!(of(Seal::Signed(&key)), Ok(Ok(())), "{client_id}");
            for seal in
                [Seal::Signed(&other), Seal::Altered(&key), Seal::Unsigned, Seal::Symmetric(b"x")]
            {
                assert!(of(seal).unwrap().is_err(), "{client_id}");
            }
        }
    }

    #[test]
    fn who_cannot_be_verified_here_is_named() {
        let key = Key::generate().unwrap();
        let rsa = hash(RSA);
        for (client_id, why) in [
            ("redirect_uri:https://as.test/cb", "redirect_uri"),
            ("verifier_attestation:v", "verifier_attestation"),
            ("some-client", "some-client"),
            ("did:web:as.test", "got did"),
            (
                "decentralized_identifier:did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK",
                "another kind",
            ),
            ("did:jwk:!", "without a JWK"),
            ("did:jwk:e30", "another kind"),
            (&format!("x509_hash:{rsa}"), "another kind"),
        ] {
            let request = request(json!({"x5c": [leaf(RSA)]}), Seal::Signed(&key));
            let error = signed(&request, client_id).unwrap_err();
            assert!(error.contains(why), "{client_id}: {error}");
        }
    }
}

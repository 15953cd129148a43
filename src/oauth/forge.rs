//! Forged access tokens: what an attacker makes of a valid token and of public keys.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::crypto::sign;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Map, Value, json};

use super::jose::Jws;
use super::public_key::{pem, pkcs1, spki};
use super::random;

/// Seconds that a forged expiry lies later than the real one.
const LATER: i64 = 86_400;

type Members = Map<String, Value>;

/// A valid token in the hands of an attacker.
pub struct Specimen<'a> {
    token: &'a str,
    jws: Jws,
}

impl<'a> Specimen<'a> {
    /// The token, if it is a compact JWS.
    pub fn of(token: &'a str) -> Option<Self> {
        Jws::read(token).ok().map(|jws| Self { token, jws })
    }

    /// The key of the set that verifies the token.
    pub fn key<'k>(&self, jwks: &'k Value) -> Option<&'k Value> {
        jwks.get("keys")?.as_array()?.iter().find(|key| {
            let alone = json!({"keys": [key]});
            self.jws.verify(&alone).is_ok()
        })
    }

    fn parts(&self) -> (&'a str, &'a str, &'a str) {
        let (header, rest) = self.token.split_once('.').unwrap_or_default();
        let (claims, signature) = rest.split_once('.').unwrap_or_default();
        (header, claims, signature)
    }

    /// The same header and signature around other claims.
    pub fn with_claims(&self, change: impl FnOnce(&mut Members)) -> String {
        let (header, _, signature) = self.parts();
        let mut claims = self.jws.claims.clone();
        change(&mut claims);
        format!("{header}.{}.{signature}", encoded(&claims))
    }

    /// The token with a signature that differs in its middle; `None` where there is none.
    pub fn with_signature_altered(&self) -> Option<String> {
        let (header, claims, signature) = self.parts();
        Some(format!("{header}.{claims}.{}", altered(signature, 1, 2)?))
    }

    /// The token without its signature: `header.claims.`
    pub fn without_signature(&self) -> String {
        let (header, claims, _) = self.parts();
        format!("{header}.{claims}.")
    }

    /// An unsigned token whose header has this `alg`.
    pub fn unsigned(&self, alg: &str, with_later_expiry: bool) -> String {
        let mut claims = self.jws.claims.clone();
        if with_later_expiry {
            expire_later(&mut claims);
        }
        let header = self.header(|header| set(header, "alg", alg));
        format!("{}.{}.", encoded(&header), encoded(&claims))
    }

    /// The same claims under HS256 with that secret.
    pub fn keyed_with(&self, secret: &[u8], header: impl FnOnce(&mut Members)) -> Option<String> {
        let header = self.header(|members| {
            set(members, "alg", "HS256");
            header(members);
        });
        self.signed(&header, &EncodingKey::from_secret(secret), Algorithm::HS256)
    }

    /// The same claims signed by the attacker, whose key the header brings along as `bait` says.
    pub fn signed_by(
        &self,
        attacker: &Attacker,
        bait: impl FnOnce(&mut Members),
    ) -> Option<String> {
        let header = self.header(|members| {
            set(members, "alg", attacker.name());
            bait(members);
        });
        self.signed(&header, &attacker.key()?, attacker.algorithm)
    }

    fn header(&self, change: impl FnOnce(&mut Members)) -> Members {
        let mut header = self.jws.header.clone();
        change(&mut header);
        header
    }

    fn signed(&self, header: &Members, key: &EncodingKey, alg: Algorithm) -> Option<String> {
        let input = format!("{}.{}", encoded(header), self.parts().1);
        let signature = sign(input.as_bytes(), key, alg).ok()?;
        Some(format!("{input}.{signature}"))
    }

    /// The attacker whose key is of the kind that the token is signed with.
    pub fn attacker(&self) -> Attacker {
        Attacker::like(self.jws.alg())
    }
}

/// Makes the token expire later.
pub fn expire_later(claims: &mut Members) {
    let now = claims.get("exp").and_then(Value::as_i64).unwrap_or_default();
    claims.insert("exp".into(), json!(now + LATER));
}

/// Adds a value to the scope.
pub fn widen_scope(claims: &mut Members) {
    let scope = match claims.get("scope") {
        Some(Value::Array(values)) => {
            let mut values = values.clone();
            values.push(json!("probe"));
            Value::from(values)
        }
        scope => json!(format!("{} probe", scope.and_then(Value::as_str).unwrap_or("openid"))),
    };
    claims.insert("scope".into(), scope);
}

/// Names another subject.
pub fn rename_subject(claims: &mut Members) {
    claims.insert("sub".into(), json!(random(12)));
}

/// The forms in which a server may hold its public key and use it as an HMAC secret by mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyForm {
    /// PEM of `SubjectPublicKeyInfo` with a final line break.
    Pem,
    /// .. without it.
    PemTrimmed,
    /// PEM of `RSAPublicKey`.
    Pkcs1Pem,
    /// `SubjectPublicKeyInfo` in DER.
    Der,
    /// The same in base64 without armour.
    Base64,
    /// The JWK as compact JSON.
    Jwk,
    /// PEM of the first certificate in `x5c`.
    Certificate,
}

impl KeyForm {
    /// The octets of the key in this form; `None` where the key has no such form.
    pub fn of(self, jwk: &Value) -> Option<Vec<u8>> {
        use base64::engine::general_purpose::STANDARD;
        let public = || spki(jwk);
        Some(match self {
            Self::Pem => pem("PUBLIC KEY", &public()?).into_bytes(),
            Self::PemTrimmed => pem("PUBLIC KEY", &public()?).trim_end().as_bytes().to_vec(),
            Self::Pkcs1Pem => pem("RSA PUBLIC KEY", &pkcs1(jwk)?).into_bytes(),
            Self::Der => public()?,
            Self::Base64 => STANDARD.encode(public()?).into_bytes(),
            Self::Jwk => jwk.to_string().into_bytes(),
            Self::Certificate => {
                let first = jwk.get("x5c")?.as_array()?.first()?.as_str()?;
                pem("CERTIFICATE", &STANDARD.decode(first).ok()?).into_bytes()
            }
        })
    }
}

/// An attacker with a key pair and a certificate of his own.
pub struct Attacker {
    algorithm: Algorithm,
    private: &'static str,
    public: &'static str,
    certificate: &'static str,
}

impl Attacker {
    /// RSA where the token is signed with RSA, and P-256 otherwise.
    fn like(alg: &str) -> Self {
        if alg.starts_with("RS") || alg.starts_with("PS") {
            Self {
                algorithm: alg.parse().unwrap_or(Algorithm::RS256),
                private: include_str!("../../fixtures/keys/attacker-rsa.pem"),
                public: include_str!("../../fixtures/keys/attacker-rsa.json"),
                certificate: include_str!("../../fixtures/keys/attacker-rsa.crt"),
            }
        } else {
            Self {
                algorithm: Algorithm::ES256,
                private: include_str!("../../fixtures/keys/attacker-ec.pem"),
                public: include_str!("../../fixtures/keys/attacker-ec.json"),
                certificate: include_str!("../../fixtures/keys/attacker-ec.crt"),
            }
        }
    }

    /// His public key with its `kid`.
    pub fn jwk(&self) -> Value {
        let mut jwk: Value = serde_json::from_str(self.public).unwrap_or_default();
        jwk["alg"] = json!(self.name());
        jwk
    }

    /// His certificate in PEM.
    pub fn certificate(&self) -> &'static str {
        self.certificate
    }

    /// His certificate as a member of `x5c` (RFC 7515 §4.1.6).
    pub fn x5c(&self) -> String {
        self.certificate.lines().filter(|line| !line.starts_with("-----")).collect()
    }

    fn name(&self) -> String {
        format!("{:?}", self.algorithm)
    }

    fn key(&self) -> Option<EncodingKey> {
        let pem = self.private.as_bytes();
        match self.algorithm {
            Algorithm::ES256 => EncodingKey::from_ec_pem(pem).ok(),
            _ => EncodingKey::from_rsa_pem(pem).ok(),
        }
    }
}

/// The token with one character changed at `numerator / denominator` of its length or soon after,
/// where every bit of it counts: not at the end of a part, whose last bits may be padding. `None`
/// where there is no such place.
pub fn altered(token: &str, numerator: usize, denominator: usize) -> Option<String> {
    let octets = token.as_bytes();
    let start = octets.len() * numerator / denominator;
    let at = (start..octets.len().saturating_sub(2))
        .find(|at| octets[*at..at + 3].iter().all(u8::is_ascii_alphanumeric))?;
    // A neighbour keeps hexadecimal digits what they are.
    let other = match octets[at] {
        octet @ (b'0' | b'A' | b'a') => char::from(octet + 1),
        octet => char::from(octet - 1),
    };
    Some(format!("{}{other}{}", &token[..at], &token[at + 1..]))
}

/// The token without its last `octets` octets; `None` where nothing worth sending is left.
pub fn cut(token: &str, octets: usize) -> Option<&str> {
    token.get(..token.len().checked_sub(octets)?).filter(|rest| rest.len() >= 8)
}

fn set(members: &mut Members, name: &str, value: impl Into<Value>) {
    members.insert(name.to_owned(), value.into());
}

fn encoded(members: &Members) -> String {
    URL_SAFE_NO_PAD.encode(Value::from(members.clone()).to_string())
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{DecodingKey, crypto};

    use super::*;

    fn token(alg: &str) -> String {
        let header = json!({"typ": "at+jwt", "alg": alg, "kid": "k"});
        let claims = json!({"sub": "s", "scope": "a", "exp": 100});
        let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        format!("{}.{}.c2lnbmF0dXJl", part(header), part(claims))
    }

    fn verifies(token: &str, key: &DecodingKey, alg: Algorithm) -> bool {
        let (input, signature) = token.rsplit_once('.').unwrap();
        crypto::verify(signature, input.as_bytes(), key, alg).unwrap()
    }

    #[test]
    fn one_thing_changes_and_the_rest_stays() {
        let token = token("ES256");
        let specimen = Specimen::of(&token).unwrap();
        let widened = specimen.with_claims(widen_scope);
        assert_eq!(Jws::read(&widened).unwrap().text("scope"), Some("a probe"));
        assert!(widened.ends_with(".c2lnbmF0dXJl"));
        assert!(token.starts_with(&specimen.without_signature()));
        let resigned = specimen.with_signature_altered().unwrap();
        assert_ne!(resigned, token);
        assert_eq!(resigned.len(), token.len());
    }

    #[test]
    fn unsigned_tokens_keep_their_claims_and_spell_alg_as_asked() {
        let token = token("ES256");
        let forged = Specimen::of(&token).unwrap().unsigned("nOnE", true);
        let jws = Jws::read(&forged).unwrap();
        assert_eq!(
            (jws.alg(), jws.text("sub"), jws.seconds("exp")),
            ("nOnE", Some("s"), Some(86_500))
        );
        assert!(forged.ends_with('.'));
    }

    #[test]
    fn a_forgery_verifies_with_the_secret_it_was_made_with() {
        let token = token("RS256");
        let specimen = Specimen::of(&token).unwrap();
        for secret in [&b"-----BEGIN"[..], b""] {
            let forged = specimen.keyed_with(secret, |_| ()).unwrap();
            assert!(verifies(&forged, &DecodingKey::from_secret(secret), Algorithm::HS256));
        }
    }

    #[test]
    fn the_attacker_signs_with_a_key_of_the_same_kind() {
        for (alg, signed_with) in
            [("ES256", Algorithm::ES256), ("EdDSA", Algorithm::ES256), ("PS256", Algorithm::PS256)]
        {
            let token = token(alg);
            let specimen = Specimen::of(&token).unwrap();
            let attacker = specimen.attacker();
            let forged = specimen.signed_by(&attacker, |header| set(header, "kid", "x")).unwrap();
            let jwk = serde_json::from_value(attacker.jwk()).unwrap();
            assert!(verifies(&forged, &DecodingKey::from_jwk(&jwk).unwrap(), signed_with), "{alg}");
            assert!(attacker.x5c().starts_with("MII"));
        }
    }

    #[test]
    fn the_key_that_signed_is_found() {
        let token = token("ES256");
        let specimen = Specimen::of(&token).unwrap();
        let attacker = specimen.attacker();
        let own = attacker.jwk();
        let forged = specimen.signed_by(&attacker, |header| drop(header.remove("kid"))).unwrap();
        let jwks = json!({"keys": [{"kty": "oct", "k": "AAAA"}, own]});
        assert_eq!(Specimen::of(&forged).unwrap().key(&jwks), Some(&own));
        assert_eq!(specimen.key(&jwks), None);
    }

    #[test]
    fn alterations_spare_separators_and_the_ends_of_parts() {
        assert_eq!(altered("aaa.bbbb", 1, 2).as_deref(), Some("aaa.abbb"));
        assert_eq!(altered("abz9Z", 1, 2).as_deref(), Some("aby9Z"));
        assert_eq!(altered("----", 0, 1), None);
        assert_eq!(cut("0123456789abcdef", 8), Some("01234567"));
        assert_eq!(cut("0123456789", 8), None);
    }

    #[test]
    fn the_forms_of_a_key_differ() {
        let jwk = Attacker::like("RS256").jwk();
        let forms = [
            KeyForm::Pem,
            KeyForm::PemTrimmed,
            KeyForm::Pkcs1Pem,
            KeyForm::Der,
            KeyForm::Base64,
            KeyForm::Jwk,
        ];
        let all: std::collections::BTreeSet<_> =
            forms.iter().map(|f| f.of(&jwk).unwrap()).collect();
        assert_eq!(all.len(), forms.len());
        assert_eq!(KeyForm::Certificate.of(&jwk), None);
    }
}

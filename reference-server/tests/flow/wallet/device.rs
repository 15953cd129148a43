//! A wallet and an issuer for the tests, each claim and key of which can be spoilt.

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _,
    UnparsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use reference_server::{Clock, seeds};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const BASE58: &str = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/// A key of an issuer or a holder.
pub(crate) struct Key(EcdsaKeyPair);

impl Key {
    pub(crate) fn new() -> Self {
        Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
    }

    /// The key of the trusted issuer.
    pub(crate) fn of_issuer() -> Self {
        let lines = seeds::CREDENTIAL_ISSUER_KEY.lines();
        let body: String = lines.filter(|line| !line.starts_with("-----")).collect();
        let der = STANDARD.decode(body).unwrap();
        Self(EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der).unwrap())
    }

    pub(crate) fn jwk(&self) -> Value {
        let (x, y) = self.0.public_key().as_ref()[1..].split_at(32);
        let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
        json!({"kty": "EC", "crv": "P-256", "x": x, "y": y})
    }

    pub(crate) fn did(&self) -> String {
        let point = self.0.public_key().as_ref();
        let mut number = [&[0x80, 0x24, 2 + point[64] % 2], &point[1..33]].concat();
        let mut text = String::new();
        while number.iter().any(|octet| *octet > 0) {
            let mut rest = 0;
            for octet in &mut number {
                let value = rest * 256 + usize::from(*octet);
                (*octet, rest) = (u8::try_from(value / 58).unwrap(), value % 58);
            }
            text.insert(0, BASE58.chars().nth(rest).unwrap());
        }
        format!("did:key:z{text}")
    }
}

/// Whether the did:key has signed the token.
pub(crate) fn is_signed_by(did: &str, token: &str) -> bool {
    let mut number = [0_u8; 35];
    for character in did.strip_prefix("did:key:z").unwrap().chars() {
        let mut carry = BASE58.find(character).unwrap();
        for octet in number.iter_mut().rev() {
            carry += usize::from(*octet) * 58;
            (*octet, carry) = (u8::try_from(carry % 256).unwrap(), carry / 256);
        }
    }
    assert_eq!(number[..2], [0x80, 0x24]);
    let (input, signature) = token.rsplit_once('.').unwrap();
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &number[2..]);
    key.verify(input.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap()).is_ok()
}

/// Header and claims of a token, unverified.
pub(crate) fn decoded(token: &str) -> (Value, Value) {
    let mut parts = token.split('.').map(|part| URL_SAFE_NO_PAD.decode(part).unwrap());
    let mut next = || serde_json::from_slice(&parts.next().unwrap()).unwrap();
    (next(), next())
}

/// A JWT to be.
pub(crate) struct Jwt {
    pub(crate) header: Value,
    pub(crate) claims: Value,
    pub(crate) seal: Seal,
}

/// How a JWT is protected.
pub(crate) enum Seal {
    By(Key),
    Wrongly,
    Not,
    Mac(String),
}

impl Jwt {
    fn new(typ: &str, claims: Value, key: Key) -> Self {
        Self { header: json!({"typ": typ, "alg": "ES256"}), claims, seal: Seal::By(key) }
    }

    pub(crate) fn unsigned(&mut self) {
        self.header["alg"] = json!("none");
        self.seal = Seal::Not;
    }

    pub(crate) fn keyed(&mut self, secret: &str) {
        self.header["alg"] = json!("HS256");
        self.seal = Seal::Mac(secret.to_owned());
    }

    /// Signed by a key that nobody knows, which the header names.
    pub(crate) fn by_stranger(&mut self) {
        let key = Key::new();
        self.header["jwk"] = key.jwk();
        self.seal = Seal::By(key);
    }

    fn text(&self) -> String {
        let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let input = format!("{}.{}", encode(&self.header), encode(&self.claims));
        let signature = match &self.seal {
            Seal::By(key) => {
                key.0.sign(&SystemRandom::new(), input.as_bytes()).unwrap().as_ref().to_vec()
            }
            Seal::Wrongly => vec![7; 64],
            Seal::Not => Vec::new(),
            Seal::Mac(secret) => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
                hmac::sign(&key, input.as_bytes()).as_ref().to_vec()
            }
        };
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// A presentation to be; as it is made, the server accepts it.
pub(crate) struct Presentation {
    pub(crate) credential: Jwt,
    pub(crate) disclosures: Vec<String>,
    /// What the holder signs: the key binding, or the JWT VP.
    pub(crate) holder: Option<Jwt>,
    is_jwt_vp: bool,
}

impl Presentation {
    /// An SD-JWT VC of a user with this address.
    pub(crate) fn sd_jwt_vc(request: &Value, email: &str, clock: &Clock) -> Self {
        let (key, now) = (Key::new(), clock.now());
        let claims = json!({
            "iss": seeds::CREDENTIAL_ISSUER, "vct": seeds::CREDENTIAL_VCT,
            "iat": now, "exp": now + 600, "cnf": {"jwk": key.jwk()}, "email": email,
        });
        let binding = json!({"aud": request["client_id"], "nonce": request["nonce"], "iat": now});
        Self {
            credential: Jwt::new("dc+sd-jwt", claims, Key::of_issuer()),
            disclosures: Vec::new(),
            holder: Some(Jwt::new("kb+jwt", binding, key)),
            is_jwt_vp: false,
        }
    }

    /// The same with the address as a disclosure, beside a decoy and one that is withheld.
    pub(crate) fn disclosing(request: &Value, email: &str, clock: &Clock) -> Self {
        let mut presentation = Self::sd_jwt_vc(request, email, clock);
        let claims = presentation.credential.claims.as_object_mut().unwrap();
        claims.remove("email");
        presentation.disclosures = vec![disclosure("email", email)];
        let digests = [digest("withheld"), digest(&presentation.disclosures[0])];
        claims.insert("_sd".into(), json!(digests));
        claims.insert("_sd_alg".into(), json!("sha-256"));
        presentation
    }

    /// A JWT VC in a JWT VP.
    pub(crate) fn jwt_vp(request: &Value, email: &str, clock: &Clock) -> Self {
        let (key, now) = (Key::new(), clock.now());
        let vc = json!({
            "type": ["VerifiableCredential", seeds::CREDENTIAL_VC_TYPE],
            "credentialSubject": {"id": key.did(), "email": email},
        });
        let claims = json!({
            "iss": seeds::CREDENTIAL_ISSUER, "sub": key.did(), "nbf": now, "exp": now + 600, "vc": vc,
        });
        let presented = json!({
            "iss": key.did(), "aud": request["client_id"], "nonce": request["nonce"], "iat": now,
            "vp": {"type": ["VerifiablePresentation"]},
        });
        let mut holder = Jwt::new("JWT", presented, Key::new());
        let did = key.did();
        holder.header["kid"] = json!(format!("{did}#{}", did.strip_prefix("did:key:").unwrap()));
        holder.seal = Seal::By(key);
        Self {
            credential: Jwt::new("JWT", claims, Key::of_issuer()),
            disclosures: Vec::new(),
            holder: Some(holder),
            is_jwt_vp: true,
        }
    }

    pub(crate) fn holder(&mut self) -> &mut Jwt {
        self.holder.as_mut().unwrap()
    }

    pub(crate) fn query(&self) -> &'static str {
        if self.is_jwt_vp { "login_jwt_vc" } else { "login" }
    }

    pub(crate) fn text(mut self) -> String {
        let credential = self.credential.text();
        if self.is_jwt_vp {
            self.holder().claims["vp"]["verifiableCredential"] = json!([credential]);
            return self.holder().text();
        }
        let presented: String = [vec![credential], self.disclosures].concat().join("~") + "~";
        let Some(mut holder) = self.holder else { return presented };
        if holder.claims.get("sd_hash").is_none() {
            holder.claims["sd_hash"] = json!(digest(&presented));
        }
        presented + &holder.text()
    }

    /// The `vp_token`: base64 of the presentation.
    pub(crate) fn bare(self) -> String {
        STANDARD.encode(self.text())
    }
}

pub(crate) fn disclosure(name: &str, value: &str) -> String {
    URL_SAFE_NO_PAD.encode(json!(["salt", name, value]).to_string())
}

pub(crate) fn digest(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(text))
}

//! What can be wrong with a presentation.

/// The one property in which a presentation differs from a conformant one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// There is no key binding; of a JWT VP nothing but the credential.
    Unbound,
    /// One bit of the holder's signature is flipped.
    BindingAltered,
    /// What the holder signs has `alg` `none`.
    BindingUnsigned,
    /// Another key signs, and comes along in the header.
    BindingOfOtherKey,
    /// Another holder signs, in his own name.
    OtherHolder,
    /// `typ` of the key binding is that of any JWT.
    BindingType,
    /// The nonce is that of no request.
    NonceOther,
    /// There is no nonce.
    NonceMissing,
    /// The presentation is for another verifier.
    AudienceOther,
    /// It is for nobody in particular.
    AudienceMissing,
    /// `sd_hash` is that of another presentation.
    HashOther,
    /// There is no `sd_hash`.
    HashMissing,
    /// The holder signed a day ago.
    Old,
    /// Somebody issued the credential whom nobody knows.
    IssuerUnknown,
    /// One bit of the issuer's signature is flipped.
    CredentialAltered,
    /// The credential has `alg` `none`.
    CredentialUnsigned,
    /// The name of the issuer is the key of an HMAC.
    CredentialSymmetric,
    /// The key that signed the credential comes along in its header.
    CredentialKeyOfHeader,
    /// The credential expired a day ago.
    Expired,
    /// The credential begins tomorrow.
    NotYetValid,
    /// The credential is of another type than was asked for.
    OtherType,
    /// A disclosure differs from the one that the issuer made in its salt.
    DisclosureAltered,
    /// A disclosure was added of which the issuer knows nothing.
    DisclosureAdded,
    /// Nothing is disclosed.
    ClaimsWithheld,
    /// Nothing is disclosed, and the holder states the claims himself.
    ClaimsOfHolder,
}

impl Fault {
    /// The fault that features call so.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "no key binding" => Self::Unbound,
            "an altered signature of the holder" => Self::BindingAltered,
            "alg none in place of the holder's signature" => Self::BindingUnsigned,
            "a key of its own that signs it" => Self::BindingOfOtherKey,
            "the name and the key of another holder" => Self::OtherHolder,
            "a JWT of another typ as key binding" => Self::BindingType,
            "another nonce" => Self::NonceOther,
            "no nonce" => Self::NonceMissing,
            "another audience" => Self::AudienceOther,
            "no audience" => Self::AudienceMissing,
            "another sd_hash" => Self::HashOther,
            "no sd_hash" => Self::HashMissing,
            "a key binding that is a day old" => Self::Old,
            "a credential of an unknown issuer" => Self::IssuerUnknown,
            "an altered signature of the issuer" => Self::CredentialAltered,
            "a credential with alg none" => Self::CredentialUnsigned,
            "a credential whose HMAC key is the issuer's name" => Self::CredentialSymmetric,
            "a credential signed by the key in its header" => Self::CredentialKeyOfHeader,
            "an expired credential" => Self::Expired,
            "a credential that is not valid yet" => Self::NotYetValid,
            "a credential of another type" => Self::OtherType,
            "a disclosure with another salt" => Self::DisclosureAltered,
            "one disclosure more" => Self::DisclosureAdded,
            "no disclosures" => Self::ClaimsWithheld,
            "the claims in the key binding alone" => Self::ClaimsOfHolder,
            _ => return None,
        })
    }
}

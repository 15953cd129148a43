//! Proof Key for Code Exchange, at both endpoints.

use super::Policy;
use crate::defect::Defect::{
    AbsentMethodAsPlain, AbsentMethodDisablesPkce, ChallengeAsVerifierAccepted,
    ChallengeCharactersUnchecked, ChallengePaddingIgnored, DotInVerifierRefused,
    EmptyChallengeAccepted, EmptyVerifierAccepted, LongChallengeAccepted, LongVerifierAccepted,
    LongVerifierRefused, LowerCaseS256Accepted, MethodChosenAtTokenEndpoint, MethodTrimmed,
    NullVerifierAccepted, PkceDowngrade, PkceEnforcedLate, PkceIgnoredWithoutChallenge,
    PkceNotRequired, PlainAccepted, PlainAcceptedInAnyCase, ShortChallengeAccepted,
    ShortVerifierAccepted, TildeInVerifierRefused, UnknownMethodAsPlain, UnknownMethodAsS256,
    UsedCodeWithoutVerifier, VerifierCharactersUnchecked, VerifierNotCompared, VerifierOfAnyFlow,
    VerifierOptional, VerifierPrefixCompared, WrongVerifierInvalidClient,
    WrongVerifierInvalidRequest,
};
use crate::pkce::{Challenge, Method, is_s256_challenge, is_unreserved, s256};

impl Policy {
    /// OAuth 2.1 §4.1.1: public clients send a challenge. `presented` is the parameter, if it is
    /// there but empty.
    pub(crate) fn challenge_required(&self, presented: Option<&str>) -> bool {
        match self.defect {
            Some(
                PkceNotRequired | PkceDowngrade | PkceIgnoredWithoutChallenge | PkceEnforcedLate,
            ) => false,
            Some(EmptyChallengeAccepted) => presented.is_none(),
            _ => true,
        }
    }

    /// OAuth 2.1 §7.5.2: S256 only, and spelt out.
    pub(crate) fn challenge_method(&self, presented: Option<&str>) -> Option<Method> {
        match (self.defect, presented) {
            (_, Some("S256")) => Some(Method::S256),
            (Some(PlainAccepted), Some("plain")) => Some(Method::Plain),
            (Some(AbsentMethodAsPlain), None) => Some(Method::Plain),
            (Some(PlainAcceptedInAnyCase), Some(method))
                if method != "plain" && method.eq_ignore_ascii_case("plain") =>
            {
                Some(Method::Plain)
            }
            (Some(MethodTrimmed), Some(method)) if method.trim() == "S256" => Some(Method::S256),
            (Some(LowerCaseS256Accepted), Some("s256")) => Some(Method::S256),
            (Some(UnknownMethodAsS256), Some(method)) if method != "plain" => Some(Method::S256),
            (Some(UnknownMethodAsPlain), Some(method)) if method != "plain" => Some(Method::Plain),
            (Some(AbsentMethodDisablesPkce), None) => Some(Method::Unchecked),
            _ => None,
        }
    }

    /// RFC 7636 §4.2: 43 characters of base64url are the only S256 challenge.
    pub(crate) fn challenge_well_formed(&self, challenge: &str) -> bool {
        match self.defect {
            Some(ShortChallengeAccepted) => is_s256_challenge(challenge) || challenge.len() == 42,
            Some(LongChallengeAccepted) => is_s256_challenge(challenge) || challenge.len() > 128,
            Some(ChallengeCharactersUnchecked) => challenge.len() == 43,
            Some(ChallengePaddingIgnored) => is_s256_challenge(challenge.trim_end_matches('=')),
            Some(PlainAccepted | AbsentMethodAsPlain) => {
                is_unreserved(challenge) && (43..=128).contains(&challenge.len())
            }
            _ => is_s256_challenge(challenge),
        }
    }

    /// RFC 9700 §4.8.2: a code without challenge is worth nothing, whatever comes with it.
    pub(crate) fn redeems_without_challenge(&self, verifier: Option<&str>) -> bool {
        match self.defect {
            Some(PkceNotRequired) => verifier.is_none(),
            Some(PkceDowngrade) => verifier.is_some(),
            Some(PkceIgnoredWithoutChallenge | EmptyChallengeAccepted) => true,
            _ => false,
        }
    }

    /// Whether a verifier may be missing, or present and empty.
    pub(crate) fn verifier_may_be(&self, presented: Option<&str>, used: bool) -> bool {
        match self.defect {
            Some(UsedCodeWithoutVerifier) => used && presented.is_none(),
            Some(VerifierOptional) => presented.is_none(),
            Some(EmptyVerifierAccepted) => presented.is_some(),
            _ => false,
        }
    }

    /// RFC 7636 §4.1: 43 to 128 unreserved characters.
    pub(crate) fn verifier_well_formed(&self, verifier: &str) -> bool {
        let well_formed = is_unreserved(verifier) && (43..=128).contains(&verifier.len());
        match self.defect {
            Some(ShortVerifierAccepted) => is_unreserved(verifier) && verifier.len() <= 128,
            Some(LongVerifierAccepted) => is_unreserved(verifier) && verifier.len() >= 43,
            Some(VerifierCharactersUnchecked) => (43..=128).contains(&verifier.chars().count()),
            Some(NullVerifierAccepted) => well_formed || verifier == "null",
            Some(LongVerifierRefused) => well_formed && verifier.len() < 128,
            Some(TildeInVerifierRefused) => well_formed && !verifier.contains('~'),
            Some(DotInVerifierRefused) => well_formed && !verifier.contains('.'),
            _ => well_formed,
        }
    }

    /// RFC 7636 §4.5: the method belongs to the code.
    pub(crate) fn method_at_redemption(&self, stored: Method, presented: Option<&str>) -> Method {
        match (self.defect, presented) {
            (Some(MethodChosenAtTokenEndpoint), Some("plain")) => Method::Plain,
            _ => stored,
        }
    }

    /// RFC 7636 §4.6.
    pub(crate) fn verifier_matches(&self, challenge: &Challenge, verifier: &str) -> bool {
        match self.defect {
            Some(VerifierNotCompared) => true,
            Some(VerifierPrefixCompared) => {
                let prefix = verifier.get(..43).unwrap_or(verifier);
                challenge.is_met_by(prefix) || challenge.is_met_by(verifier)
            }
            Some(NullVerifierAccepted) if verifier == "null" => true,
            Some(ChallengeAsVerifierAccepted) => {
                verifier == challenge.value || s256(verifier) == challenge.value
            }
            _ => challenge.is_met_by(verifier),
        }
    }

    /// Whether the verifier of another flow of the client does as well.
    pub(crate) fn verifier_of_any_flow_counts(&self) -> bool {
        self.has(VerifierOfAnyFlow)
    }

    /// RFC 7636 §4.6: the error for a wrong verifier.
    pub(crate) fn wrong_verifier_error(&self) -> &'static str {
        match self.defect {
            Some(WrongVerifierInvalidClient) => "invalid_client",
            Some(WrongVerifierInvalidRequest) => "invalid_request",
            _ => "invalid_grant",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s256_alone_is_accepted() {
        let policy = Policy::conformant();
        assert_eq!(policy.challenge_method(Some("S256")), Some(Method::S256));
        for method in [None, Some("plain"), Some("s256"), Some("S999")] {
            assert_eq!(policy.challenge_method(method), None, "{method:?}");
        }
    }

    #[test]
    fn verifier_lengths() {
        let policy = Policy::conformant();
        for (length, accepted) in [(42, false), (43, true), (128, true), (129, false)] {
            assert_eq!(policy.verifier_well_formed(&"~".repeat(length)), accepted, "{length}");
        }
        assert!(!policy.verifier_well_formed(&"+".repeat(43)));
    }
}

//! What a verifier asks for: DCQL (OpenID for Verifiable Presentations 1.0 §6 and §7), and the older
//! presentation definition (DIF Presentation Exchange 2.0).

use serde_json::{Map, Value, json};

use super::request_object::RequestObject;

/// The form of a credential and its presentation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// An SD-JWT VC with a key binding (RFC 9901).
    #[default]
    SdJwtVc,
    /// A JWT VC in a JWT VP (Verifiable Credentials Data Model 1.1 §6.3.1).
    JwtVp,
}

impl Format {
    /// Its names as credential formats (OpenID4VP 1.0 Appendix B; the last ones are older).
    fn names(self) -> &'static [&'static str] {
        match self {
            Self::SdJwtVc => &["dc+sd-jwt", "vc+sd-jwt"],
            Self::JwtVp => &["jwt_vc_json", "jwt_vc", "jwt_vp_json", "jwt_vp"],
        }
    }
}

/// What a wallet can show.
pub struct Offer<'a> {
    /// The form.
    pub format: Format,
    /// The type, `vct` or one of `type`; that of the query where it is absent.
    pub credential_type: Option<&'a str>,
    /// The claims by name.
    pub claims: &'a Map<String, Value>,
}

/// One credential that is asked for and can be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The id of the credential query; none where nothing but a presentation is asked for.
    pub id: Option<String>,
    /// The type that was asked for: `vct`, or all values of `type`.
    pub types: Vec<String>,
    /// Names of the claims to disclose; all of them when absent.
    pub claims: Option<Vec<String>>,
    /// The id of the definition that is answered, and where its descriptor finds the credential in the
    /// answer (Presentation Exchange 2.0 §6).
    pub definition: Option<(String, Value)>,
}

/// What to show of the offer so that the request is answered. The error says what is not there.
pub fn evaluate(request: &RequestObject, offer: &Offer<'_>) -> Result<Vec<Asked>, String> {
    if let Some(query) = request.claim("dcql_query") {
        return of_query(query, offer);
    }
    match request.claim("presentation_definition") {
        Some(definition) => Ok(vec![of_definition(definition, offer)?]),
        // Older verifiers name what they want by scope, which says nothing about its form.
        None => Ok(vec![Asked { id: None, types: vec![], claims: None, definition: None }]),
    }
}

fn of_query(query: &Value, offer: &Offer<'_>) -> Result<Vec<Asked>, String> {
    let none = vec![];
    let list = |value: &Value, name: &str| value.get(name).and_then(Value::as_array).cloned();
    let credentials = list(query, "credentials").unwrap_or_default();
    let (mut found, mut missed) = (Vec::new(), Vec::new());
    for credential in &credentials {
        match of_credential(credential, offer) {
            Ok(asked) => found.push(asked),
            Err(why) => missed.push(why),
        }
    }
    let lack =
        || format!("a dcql_query that the credential does not answer: {}", missed.join(", "));
    let sets = list(query, "credential_sets").unwrap_or(none);
    if sets.is_empty() {
        // §6.4.2: without sets every credential is wanted.
        return if missed.is_empty() && !found.is_empty() { Ok(found) } else { Err(lack()) };
    }
    let has = |id: &Value| found.iter().any(|asked| asked.id.as_deref() == id.as_str());
    let mut wanted: Vec<Value> = Vec::new();
    for set in sets.iter().filter(|set| set.get("required") != Some(&Value::Bool(false))) {
        let options = list(set, "options").unwrap_or_default();
        let answered = options.iter().filter_map(Value::as_array).find(|ids| ids.iter().all(has));
        wanted.extend(answered.ok_or_else(lack)?.iter().cloned());
    }
    found.retain(|asked| wanted.iter().any(|id| id.as_str() == asked.id.as_deref()));
    if found.is_empty() { Err(lack()) } else { Ok(found) }
}

/// One credential query (§6.1), if the offer answers it.
fn of_credential(query: &Value, offer: &Offer<'_>) -> Result<Asked, String> {
    let id = query.get("id").and_then(Value::as_str).unwrap_or_default();
    let format = query.get("format").and_then(Value::as_str).unwrap_or_default();
    if !offer.format.names().contains(&format) {
        return Err(format!("{id} wants the format {format}"));
    }
    let types = types(query.get("meta"), offer).ok_or_else(|| {
        let own = offer.credential_type.unwrap_or_default();
        format!("{id} wants another type than {own}: {}", wanted(query.get("meta")))
    })?;
    let claims = query.get("claims").and_then(Value::as_array);
    // §6.4.1: of alternatives the first that can be answered; without any, all claims.
    let alternatives = query.get("claim_sets").and_then(Value::as_array);
    let named = match (claims, alternatives) {
        (None, _) => None,
        (Some(claims), None) => Some(claims.iter().map(|claim| answered(claim, offer)).collect()),
        (Some(claims), Some(sets)) => {
            let by_id = |id: &Value| claims.iter().find(|claim| claim.get("id") == Some(id));
            let answer = |set: &Value| -> Option<Vec<String>> {
                let ids = set.as_array()?.iter();
                ids.map(|id| answered(by_id(id)?, offer)).collect()
            };
            Some(sets.iter().find_map(answer))
        }
    };
    let claims = match named {
        None => None,
        Some(Some(names)) => Some(names),
        Some(None) => {
            let claims = wanted(query.get("claims"));
            return Err(format!("{id} wants a claim that is not there: {claims}"));
        }
    };
    Ok(Asked { id: Some(id.to_owned()), types, claims, definition: None })
}

/// What a query says, for a person.
fn wanted(part: Option<&Value>) -> String {
    part.map_or_else(|| "nothing is said of it".to_owned(), Value::to_string)
}

/// The types that are asked for (Appendix B.3.5, B.1.1), one of which the offer has.
fn types(meta: Option<&Value>, offer: &Offer<'_>) -> Option<Vec<String>> {
    let texts = |value: &Value| -> Vec<String> {
        let items = value.as_array().into_iter().flatten();
        items.filter_map(|item| item.as_str().map(str::to_owned)).collect()
    };
    let own = || offer.credential_type.map(str::to_owned).into_iter().collect();
    let is_own = |names: &Vec<String>| {
        offer.credential_type.is_none_or(|own| names.iter().any(|name| name == own))
    };
    let asked = |name: &str| meta.and_then(|meta| meta.get(name));
    match (offer.format, asked("vct_values"), asked("type_values")) {
        (Format::SdJwtVc, Some(values), _) => {
            let names = texts(values);
            let chosen = offer.credential_type.or(names.first().map(String::as_str));
            Some(vec![chosen?.to_owned()]).filter(|_| is_own(&names))
        }
        (Format::JwtVp, _, Some(values)) => {
            values.as_array().into_iter().flatten().map(texts).find(is_own)
        }
        _ => Some(own()),
    }
}

/// The name of the claim to which the path of a claims query leads (§7.1), if its value is one of
/// those that are wanted.
fn answered(query: &Value, offer: &Offer<'_>) -> Option<String> {
    let path = query.get("path").and_then(Value::as_array)?;
    let path = match offer.format {
        Format::SdJwtVc => &path[..],
        // Of a JWT VC the claims are those of its subject.
        Format::JwtVp => path.strip_prefix(&["credentialSubject".into()]).unwrap_or(path),
    };
    let (name, rest) = path.split_first()?;
    let name = name.as_str()?;
    let found = rest.iter().try_fold(offer.claims.get(name)?, |value, step| match step {
        Value::String(name) => value.get(name),
        Value::Number(at) => value.get(usize::try_from(at.as_u64()?).ok()?),
        _ => Some(value),
    })?;
    let wanted = query.get("values").and_then(Value::as_array);
    wanted.is_none_or(|wanted| wanted.contains(found)).then(|| name.to_owned())
}

fn of_definition(definition: &Value, offer: &Offer<'_>) -> Result<Asked, String> {
    let text =
        |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let descriptors = definition.get("input_descriptors").and_then(Value::as_array);
    let Some([descriptor]) = descriptors.map(Vec::as_slice) else {
        return Err("a presentation_definition that wants other than one credential".into());
    };
    let id = text(descriptor, "id").unwrap_or_default();
    let formats = descriptor.get("format").or_else(|| definition.get("format"));
    let named = |name: &&&str| formats.is_some_and(|all| all.get(**name).is_some());
    let own = offer.format.names();
    let format = match (own.iter().find(named), formats, offer.format) {
        (Some(name), _, _) => *name,
        (None, None, Format::SdJwtVc) => "vc+sd-jwt",
        (None, None, Format::JwtVp) => "jwt_vp",
        (None, Some(_), _) => return Err(format!("{id} wants another format than {}", own[0])),
    };
    let types = offer.credential_type.map(str::to_owned).into_iter().collect();
    let definition = (text(definition, "id").unwrap_or_default(), place(&id, format));
    Ok(Asked { id: Some(id), types, claims: None, definition: Some(definition) })
}

/// Where a descriptor finds its credential: in the presentation, and of a JWT VP in the one within.
fn place(id: &str, format: &str) -> Value {
    let (presentation, credential) = match format {
        "jwt_vc_json" | "jwt_vp_json" => ("jwt_vp_json", "jwt_vc_json"),
        "jwt_vc" | "jwt_vp" => ("jwt_vp", "jwt_vc"),
        _ => return json!({"id": id, "format": format, "path": "$"}),
    };
    let nested = json!({"id": id, "format": credential, "path": "$.vp.verifiableCredential[0]"});
    json!({"id": id, "format": presentation, "path": "$", "path_nested": nested})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::key::Seal;
    use crate::oauth::object;
    use crate::oauth::request_object::samples::request;

    fn ask(
        more: Value,
        format: Format,
        credential_type: Option<&str>,
    ) -> Result<Vec<Asked>, String> {
        let claims = object(json!({"email": "a@b", "address": {"street": "Main", "tags": ["x"]}}));
        let request = request("did:key:z", Seal::Unsigned, more);
        evaluate(&request, &Offer { format, credential_type, claims: &claims })
    }

    fn ids(asked: &[Asked]) -> Vec<&str> {
        asked.iter().filter_map(|asked| asked.id.as_deref()).collect()
    }

    fn two_formats() -> Value {
        json!({"dcql_query": {
            "credentials": [
                {"id": "a", "format": "dc+sd-jwt", "meta": {"vct_values": ["t1", "t2"]}, "claims": [{"path": ["email"]}]},
                {"id": "b", "format": "jwt_vc_json", "meta": {"type_values": [["VC", "T"]]},
                 "claims": [{"path": ["credentialSubject", "email"]}]},
            ],
            "credential_sets": [{"options": [["a"], ["b"]]}],
        }})
    }

    #[test]
    fn the_option_that_the_wallet_has_is_taken() {
        let of = |format, credential_type| ask(two_formats(), format, credential_type);
        let sd_jwt = of(Format::SdJwtVc, Some("t2")).unwrap();
        assert_eq!((ids(&sd_jwt), &sd_jwt[0].types), (vec!["a"], &vec!["t2".to_owned()]));
        assert_eq!(sd_jwt[0].claims, Some(vec!["email".to_owned()]));
        assert_eq!(of(Format::SdJwtVc, None).unwrap()[0].types, ["t1"]);
        let jwt_vp = of(Format::JwtVp, Some("T")).unwrap();
        assert_eq!(
            (ids(&jwt_vp), &jwt_vp[0].types[..]),
            (vec!["b"], &["VC".into(), "T".into()][..])
        );
        assert!(
            of(Format::SdJwtVc, Some("t3")).unwrap_err().contains("a wants another type than t3")
        );
    }

    #[test]
    fn without_sets_everything_is_wanted() {
        let mut query = two_formats();
        query["dcql_query"]["credential_sets"] = json!([]);
        assert!(ask(query, Format::SdJwtVc, None).unwrap_err().contains("the format jwt_vc_json"));
    }

    #[test]
    fn paths_values_and_alternatives_are_followed() {
        let of = |claims: Value, sets: Value| {
            let mut credential = json!({"id": "a", "format": "vc+sd-jwt", "claims": claims});
            if !sets.is_null() {
                credential["claim_sets"] = sets;
            }
            let asked =
                ask(json!({"dcql_query": {"credentials": [credential]}}), Format::SdJwtVc, None);
            asked.map(|asked| asked[0].claims.clone().unwrap_or_default())
        };
        let none = Value::Null;
        assert_eq!(
            of(json!([{"path": ["address", "tags", 0]}]), none.clone()).unwrap(),
            ["address"]
        );
        assert!(of(json!([{"path": ["address", "city"]}]), none.clone()).is_err());
        assert!(of(json!([{"path": ["email"], "values": ["c@d"]}]), none.clone()).is_err());
        assert!(of(json!([{"path": ["email"], "values": ["a@b"]}]), none).is_ok());
        let two = json!([{"id": "x", "path": ["phone"]}, {"id": "y", "path": ["email"]}]);
        assert_eq!(of(two, json!([["x"], ["y"]])).unwrap(), ["email"]);
    }

    #[test]
    fn older_requests_are_answered() {
        let definition = |formats: Value| json!({"presentation_definition": {"id": "d", "input_descriptors": [{"id": "i", "format": formats}]}});
        let place = |formats: Value, format| {
            let asked = ask(definition(formats), format, None).unwrap();
            let (id, place) = asked[0].definition.clone().unwrap();
            assert_eq!(
                (id.as_str(), &place["id"], &place["path"]),
                ("d", &json!("i"), &json!("$"))
            );
            place
        };
        let of_sd_jwt = place(json!({"vc+sd-jwt": {}}), Format::SdJwtVc);
        assert_eq!(
            (&of_sd_jwt["format"], of_sd_jwt.get("path_nested")),
            (&json!("vc+sd-jwt"), None)
        );
        // The credential is one level deeper, whichever of the two is named.
        for (named, presentation, credential) in [
            ("jwt_vc", "jwt_vp", "jwt_vc"),
            ("jwt_vp", "jwt_vp", "jwt_vc"),
            ("jwt_vc_json", "jwt_vp_json", "jwt_vc_json"),
            ("jwt_vp_json", "jwt_vp_json", "jwt_vc_json"),
        ] {
            let place = place(json!({named: {}}), Format::JwtVp);
            assert_eq!(place["format"], presentation);
            let path = "$.vp.verifiableCredential[0]";
            let nested = json!({"id": "i", "format": credential, "path": path});
            assert_eq!(place["path_nested"], nested);
        }
        assert!(ask(definition(json!({"ldp_vp": {}})), Format::JwtVp, None).is_err());
        assert_eq!(
            ask(json!({"scope": "learcredential"}), Format::JwtVp, None).unwrap()[0].id,
            None
        );
    }
}

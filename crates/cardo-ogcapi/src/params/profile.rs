use super::{ParamFault, Query, shorten};

/// A profile of GeoJSON (OGC 21-045r1, clause 14).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Profile {
    Rfc7946,
    JsonFg,
    JsonFgPlus,
}

/// How references to other features are shown (OGC 23-058r2, clause 14).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum References {
    /// By the id.
    #[default]
    Key,
    /// By the address.
    Uri,
    /// By the address with a title.
    Link,
}

/// Which values the properties of a schema may have (OGC 23-058r2, clause 16).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Domain {
    /// Those that are accepted.
    #[default]
    Valid,
    /// Those that features have now.
    Actual,
}

/// The profiles of a schema that were asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct SchemaProfiles {
    pub(crate) domain: Domain,
    /// Whether names of vocabularies are listed with what they stand for (OGC 23-058r2, clause 15). These
    /// are the names that occur, for any other is accepted, so the domain is the actual one then.
    pub(crate) codelists: bool,
}

/// The profiles of answers with features that were asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Profiles {
    pub(crate) json: Option<Profile>,
    pub(crate) references: References,
}

/// Those of features, the default of each kind first.
pub(crate) const FEATURE_PROFILES: [&str; 6] = [
    Profile::Rfc7946.name(),
    Profile::JsonFg.name(),
    Profile::JsonFgPlus.name(),
    References::Key.name(),
    References::Uri.name(),
    References::Link.name(),
];
/// Those of schemas, the default first.
pub(crate) const SCHEMA_PROFILES: [&str; 3] =
    [Domain::Valid.name(), Domain::Actual.name(), CODELIST_INLINE];
const CODELIST_INLINE: &str = "codelist-inline";

/// Where the OGC registers profiles.
const REGISTER: &str = "http://www.opengis.net/def/profile/OGC/0/";

/// The address of a profile of the register.
pub(crate) fn profile_uri(name: &str) -> String {
    [REGISTER, name].concat()
}

impl Profile {
    /// The value of the parameter `profile`.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Rfc7946 => "rfc7946",
            Self::JsonFg => "jsonfg",
            Self::JsonFgPlus => "jsonfg-plus",
        }
    }
}

impl References {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Key => "rel-as-key",
            Self::Uri => "rel-as-uri",
            Self::Link => "rel-as-link",
        }
    }
}

impl Domain {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Valid => "valid-domain",
            Self::Actual => "actual-domain",
        }
    }
}

impl SchemaProfiles {
    /// The last of a list.
    pub(crate) fn parse(params: &Query<'_>) -> Result<Self, ParamFault> {
        let mut found = Self::default();
        for name in names(params, &SCHEMA_PROFILES) {
            found = match name? {
                CODELIST_INLINE => Self { domain: Domain::Actual, codelists: true },
                name if name == Domain::Actual.name() => Self { domain: Domain::Actual, ..found },
                _ => Self::default(),
            };
        }
        Ok(found)
    }

    /// What the profiles are called.
    pub(crate) fn names(self) -> impl Iterator<Item = &'static str> {
        [Some(self.domain.name()), self.codelists.then_some(CODELIST_INLINE)].into_iter().flatten()
    }
}

impl Profiles {
    /// The last of each kind of a list; what an encoding does not have is for others.
    pub(crate) fn parse(params: &Query<'_>) -> Result<Self, ParamFault> {
        let mut found = Self::default();
        for name in names(params, &FEATURE_PROFILES) {
            let name = name?;
            let json = [Profile::Rfc7946, Profile::JsonFg, Profile::JsonFgPlus];
            let references = [References::Key, References::Uri, References::Link];
            if let Some(profile) = json.into_iter().find(|profile| profile.name() == name) {
                found.json = Some(profile);
            }
            if let Some(form) = references.into_iter().find(|form| form.name() == name) {
                found.references = form;
            }
        }
        Ok(found)
    }
}

/// The names that the parameter lists, each by itself or as its address. One that is not known makes no
/// difference (recommendation /rec/profile-parameter/profile-negotiation); what cannot be a name is refused.
fn names<'a>(
    params: &'a Query<'_>,
    known: &'static [&'static str],
) -> impl Iterator<Item = Result<&'static str, ParamFault>> + 'a {
    let list = params.get("profile").map(|list| list.split(','));
    list.into_iter().flatten().filter_map(move |text| {
        let name = text.strip_prefix(REGISTER).unwrap_or(text);
        let found = known.iter().find(|one| **one == name).copied();
        if found.is_none() && !can_be_profile(text) {
            return Some(Err(ParamFault::Profile(shorten(text), known.join(", "))));
        }
        found.map(Ok)
    })
}

/// Whether a text is the identifier or the address of a profile (requirement /req/profile-parameter/profile-param, B).
fn can_be_profile(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let address = ["http://", "https://"].iter().find_map(|scheme| text.strip_prefix(scheme));
    match address {
        Some(rest) => !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_graphic()),
        None => !text.is_empty() && text.bytes().all(is_plain),
    }
}

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
pub(crate) const SCHEMA_PROFILES: [&str; 2] = [Domain::Valid.name(), Domain::Actual.name()];

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

    /// The last of a list.
    pub(crate) fn parse(params: &Query<'_>) -> Result<Self, ParamFault> {
        let mut found = Self::default();
        for name in names(params, &SCHEMA_PROFILES) {
            found = if name? == Self::Actual.name() { Self::Actual } else { Self::Valid };
        }
        Ok(found)
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

/// The names that the parameter lists, each by itself or as its address, of which all are known.
fn names<'a>(
    params: &'a Query<'_>,
    known: &'static [&'static str],
) -> impl Iterator<Item = Result<&'static str, ParamFault>> + 'a {
    let list = params.get("profile").map(|list| list.split(','));
    list.into_iter().flatten().map(move |text| {
        let name = text.strip_prefix(REGISTER).unwrap_or(text);
        let found = known.iter().find(|one| **one == name).copied();
        found.ok_or_else(|| ParamFault::Profile(shorten(text), known.join(", ")))
    })
}

use super::{ParamFault, Query, shorten};

/// A profile of GeoJSON (OGC 21-045r1, clause 14).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Profile {
    Rfc7946,
    JsonFg,
    JsonFgPlus,
}

/// All of them, the default first.
pub(crate) const PROFILES: [Profile; 3] = [Profile::Rfc7946, Profile::JsonFg, Profile::JsonFgPlus];

impl Profile {
    /// The value of the parameter `profile`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Rfc7946 => "rfc7946",
            Self::JsonFg => "jsonfg",
            Self::JsonFgPlus => "jsonfg-plus",
        }
    }

    /// The link that says which profile an answer has.
    pub(crate) fn link(self) -> &'static str {
        match self {
            Self::Rfc7946 => "<http://www.opengis.net/def/profile/OGC/0/rfc7946>; rel=\"profile\"",
            Self::JsonFg => "<http://www.opengis.net/def/profile/OGC/0/jsonfg>; rel=\"profile\"",
            Self::JsonFgPlus => {
                "<http://www.opengis.net/def/profile/OGC/0/jsonfg-plus>; rel=\"profile\""
            }
        }
    }

    /// The last profile of a list of which all are known; the rest is for encodings that have it.
    pub(crate) fn parse(params: &Query<'_>) -> Result<Option<Self>, ParamFault> {
        let Some(list) = params.get("profile") else { return Ok(None) };
        let mut found = None;
        for name in list.split(',') {
            let known = PROFILES.into_iter().find(|profile| profile.name() == name);
            found = Some(known.ok_or_else(|| ParamFault::Profile(shorten(name)))?);
        }
        Ok(found)
    }
}

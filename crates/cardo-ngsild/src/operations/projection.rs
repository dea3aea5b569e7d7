//! Which members of entities an answer has (clauses 4.21 and 6.4.3.2).

use cardo_http::Params;
use cardo_jsonld::Context;
use cardo_model::{Iri, NameId, Names};
use cardo_query::parse_attributes;

use super::ContextNames;
use crate::fault::Fault;
use crate::represent::{Datasets, Members, Picked};

/// The texts that make a projection.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ProjectionText<'a> {
    pub(crate) attrs: Option<&'a str>,
    pub(crate) pick: Option<&'a str>,
    pub(crate) omit: Option<&'a str>,
}

impl<'a> ProjectionText<'a> {
    /// Those in the query string.
    pub(crate) fn of(params: &'a Params<'_>) -> Self {
        let [attrs, pick, omit] = ["attrs", "pick", "omit"].map(|name| params.get(name));
        Self { attrs, pick, omit }
    }

    /// The attributes among the picked members.
    pub(crate) fn picked(self, context: &Context) -> Result<Vec<Iri>, Fault> {
        let names = self.pick.unwrap_or("").split([',', '|']).map(str::trim);
        let attributes =
            names.filter(|name| !matches!(*name, "" | "id" | "@id" | "type" | "@type" | "scope"));
        Ok(attributes.map(|name| ContextNames(context).name(name)).collect::<Result<_, _>>()?)
    }
}

/// What is shown of entities, and of those that their relationships lead to.
#[derive(Debug)]
pub(crate) struct Projection {
    pub(crate) members: Members,
    pub(crate) linked: Vec<(NameId, Projection)>,
}

/// A member by full name, and what is chosen of the entities that it leads to.
struct Item {
    member: Member,
    below: Vec<Item>,
}

/// Members by full name.
#[derive(PartialEq, Eq)]
enum Member {
    Id,
    Type,
    Scope,
    Attribute(Iri),
}

/// The members that are wanted, and the attributes of `attrs`, of which an entity needs one.
pub(crate) fn members(
    text: ProjectionText<'_>,
    context: &Context,
    names: &Names,
) -> Result<(Members, Option<Vec<Iri>>), Fault> {
    let (projection, attrs) = projection(text, context, names, 0)?;
    Ok((projection.members, attrs))
}

/// All attributes that are named, up to so many levels deep.
pub(crate) fn named(
    text: ProjectionText<'_>,
    context: &Context,
    levels: usize,
) -> Result<Vec<Iri>, Fault> {
    let mut names = Vec::new();
    if let Some(attrs) = text.attrs {
        names = parse_attributes(attrs, &ContextNames(context))?;
    }
    for (parameter, text) in [("pick", text.pick), ("omit", text.omit)] {
        let Some(text) = text else { continue };
        let items = Parser { parameter, text, at: 0, context, count: 0 }.all(levels)?;
        collect_names(&items, &mut names);
    }
    Ok(names)
}

fn collect_names(items: &[Item], names: &mut Vec<Iri>) {
    for item in items {
        if let Member::Attribute(name) = &item.member {
            names.push(name.clone());
        }
        collect_names(&item.below, names);
    }
}

/// The same with members of linked entities, so many levels deep.
pub(crate) fn projection(
    text: ProjectionText<'_>,
    context: &Context,
    names: &Names,
    levels: usize,
) -> Result<(Projection, Option<Vec<Iri>>), Fault> {
    let attrs = match text.attrs {
        Some(attrs) => Some(parse_attributes(attrs, &ContextNames(context))?),
        None => None,
    };
    let parse = |parameter, text| Parser { parameter, text, at: 0, context, count: 0 }.all(levels);
    let picked = text.pick.map(|pick| parse("pick", pick)).transpose()?;
    let omitted = text.omit.map(|omit| parse("omit", omit)).transpose()?;
    if attrs.is_some() && (picked.is_some() || omitted.is_some()) {
        return Err(Fault::bad_data("attrs excludes pick and omit"));
    }
    if let Some(attrs) = &attrs {
        let ids = attrs.iter().map(|name| names.id_or_unknown(name.as_str())).collect();
        let projection = Projection { members: Members::attributes(ids), linked: Vec::new() };
        return Ok((projection, Some(attrs.clone())));
    }
    Ok((Projection::of(picked.as_deref(), omitted.as_deref(), names)?, None))
}

impl Projection {
    fn of(picked: Option<&[Item]>, omitted: Option<&[Item]>, names: &Names) -> Result<Self, Fault> {
        let leaves = |items: &[Item]| collect(items.iter().filter(|i| i.below.is_empty()), names);
        let find = |items: Option<&'_ [Item]>, member: &Member| {
            items.and_then(|items| items.iter().position(|item| item.member == *member))
        };
        for item in omitted.unwrap_or(&[]).iter().filter(|item| item.below.is_empty()) {
            if find(picked, &item.member).is_some() {
                return Err(Fault::bad_data("pick and omit name the same member"));
            }
        }
        let members = match (picked, omitted) {
            (None, None) => Members::All,
            (Some(picked), _) => Members::Only(collect(picked.iter(), names)),
            (None, Some(omitted)) => Members::Without(leaves(omitted)),
        };
        let below = |items: Option<&'_ [Item]>, member: &Member| -> Option<usize> {
            find(items, member).filter(|at| items.is_some_and(|items| !items[*at].below.is_empty()))
        };
        let mut linked: Vec<(NameId, Self)> = Vec::new();
        for item in picked.unwrap_or(&[]).iter().chain(omitted.unwrap_or(&[])) {
            let Member::Attribute(name) = &item.member else { continue };
            let id = names.id_or_unknown(name.as_str());
            if item.below.is_empty() || linked.iter().any(|(known, _)| *known == id) {
                continue;
            }
            let pick = below(picked, &item.member).zip(picked).map(|(at, all)| &*all[at].below);
            let omit = below(omitted, &item.member).zip(omitted).map(|(at, all)| &*all[at].below);
            linked.push((id, Self::of(pick, omit, names)?));
        }
        Ok(Self { members, linked })
    }
}

fn collect<'a>(items: impl Iterator<Item = &'a Item>, names: &Names) -> Picked {
    let mut picked = Picked::default();
    for item in items {
        match &item.member {
            Member::Id => picked.id = true,
            Member::Type => picked.types = true,
            Member::Scope => picked.scope = true,
            Member::Attribute(name) => picked.attributes.push(names.id_or_unknown(name.as_str())),
        }
    }
    picked
}

/// Reads `name,relationship{name,…}` (clause 4.21).
struct Parser<'a> {
    parameter: &'static str,
    text: &'a str,
    at: usize,
    context: &'a Context,
    count: usize,
}

impl Parser<'_> {
    fn all(mut self, levels: usize) -> Result<Vec<Item>, Fault> {
        let items = self.items(levels)?;
        if self.at < self.text.len() {
            return Err(self.wrong("has a bracket too many"));
        }
        Ok(items)
    }

    fn items(&mut self, levels: usize) -> Result<Vec<Item>, Fault> {
        let mut items = Vec::new();
        loop {
            items.push(self.item(levels)?);
            if !self.text[self.at..].starts_with([',', '|']) {
                return Ok(items);
            }
            self.at += 1;
        }
    }

    fn item(&mut self, levels: usize) -> Result<Item, Fault> {
        self.count += 1;
        if self.count > cardo_query::MAX_LIST_ITEMS {
            return Err(Fault::bad_data(format!("{} names too many members", self.parameter)));
        }
        let rest = &self.text[self.at..];
        let end = rest.find([',', '|', '{', '}']).unwrap_or(rest.len());
        self.at += end;
        let member = match rest[..end].trim() {
            "" => return Err(self.wrong("holds an empty name")),
            "id" | "@id" => Member::Id,
            "type" | "@type" => Member::Type,
            "scope" => Member::Scope,
            name => Member::Attribute(ContextNames(self.context).name(name)?),
        };
        let mut below = Vec::new();
        if self.text[self.at..].starts_with('{') {
            let Some(levels) = levels.checked_sub(1) else {
                return Err(self.wrong(
                    "names members of linked entities, but no join is asked for or not so deep",
                ));
            };
            self.at += 1;
            below = self.items(levels)?;
            if !self.text[self.at..].starts_with('}') {
                return Err(self.wrong("lacks a closing bracket"));
            }
            self.at += 1;
        }
        Ok(Item { member, below })
    }

    fn wrong(&self, what: &str) -> Fault {
        let shown: String = self.text.chars().take(80).collect();
        Fault::bad_data(format!("{}={shown:?} {what}", self.parameter))
    }
}

/// The parameter `datasetId`: URIs, and `@none` for the default instance (clause 4.5.5).
pub(crate) fn dataset_ids(text: Option<&str>) -> Result<Datasets, Fault> {
    let Some(text) = text else { return Ok(Datasets::All) };
    let ids = text.split(',').map(str::trim).map(|id| match id {
        "@none" => Ok(None),
        id => Iri::new(id.to_owned()).map(Some),
    });
    Ok(Datasets::Only(ids.collect::<Result<_, _>>()?))
}

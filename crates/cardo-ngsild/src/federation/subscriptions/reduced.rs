//! A subscription reduced to what a source has registered (clause 5.8.1.4).

use cardo_engine::{EntityInfo, Information, Match};
use cardo_jsonld::Context;
use serde_json::{Map, Value, json};

type Members = Map<String, Value>;

/// Members that concern this server and its client alone.
const OWN: [&str; 7] =
    ["id", "status", "csf", "localOnly", "subscriptionName", "description", "splitEntities"];

/// The copy for a source; `shown` is the subscription with the names of `context`.
pub(super) fn reduced(shown: &Members, found: &Match, context: &Context, splits: bool) -> Members {
    let mut copy = shown.clone();
    copy.retain(|name, _| !OWN.contains(&name.as_str()));
    let elements: Vec<&Information> = found.matched().map(|(info, _)| info).collect();
    if let Some(Value::Array(selectors)) = shown.get("entities") {
        let selectors = found.matched().flat_map(|(info, matched)| {
            let entities: Vec<&EntityInfo> =
                matched.entities.iter().map(|at| &info.entities[*at]).collect();
            narrowed(selectors, &entities, context)
        });
        copy.insert("entities".to_owned(), distinct(selectors).into());
    } else if let Some(selectors) = registered(found, context) {
        copy.insert("entities".to_owned(), selectors.into());
    }
    let names = named(&elements, context);
    if let Some(names) = &names {
        narrow_list(&mut copy, "watchedAttributes", names);
    }
    let Some(Value::Object(notification)) = copy.get_mut("notification") else { return copy };
    notification.retain(|name, _| {
        matches!(
            name.as_str(),
            "attributes" | "pick" | "omit" | "format" | "sysAttrs" | "showChanges" | "endpoint"
        )
    });
    if let (Some(names), false) = (&names, notification.contains_key("pick")) {
        narrow_list(notification, "attributes", names);
    }
    if splits {
        // Only the whole entity can be judged, and that is for this server to do.
        for name in ["attributes", "pick", "omit", "format"] {
            notification.remove(name);
        }
        // What is newer is told by when it was written (clause 4.5.5.3).
        notification.insert("sysAttrs".to_owned(), true.into());
        for name in ["q", "geoQ", "scopeQ"] {
            copy.remove(name);
        }
        copy.insert("splitEntities".to_owned(), true.into());
    }
    copy
}

/// The attributes that are registered; none where any may be there.
fn named(elements: &[&Information], context: &Context) -> Option<Vec<String>> {
    if elements.iter().any(|info| info.has_any_attribute()) {
        return None;
    }
    let all = elements.iter().flat_map(|info| info.attributes());
    Some(all.map(|name| context.compact_iri(name.as_str()).into_owned()).collect())
}

/// Leaves of a list what is registered; all that is, where there is no list.
fn narrow_list(members: &mut Members, list: &str, names: &[String]) {
    let is_named =
        |item: &&Value| item.as_str().is_some_and(|text| names.iter().any(|n| n == text));
    let kept: Vec<Value> = match members.get(list) {
        Some(Value::Array(items)) => items.iter().filter(is_named).cloned().collect(),
        _ => Vec::new(),
    };
    let kept = if kept.is_empty() { distinct(names.iter().map(|n| json!(n))) } else { kept };
    members.insert(list.to_owned(), kept.into());
}

fn distinct(items: impl Iterator<Item = Value>) -> Vec<Value> {
    let mut all: Vec<Value> = Vec::new();
    for item in items {
        if !all.contains(&item) {
            all.push(item);
        }
    }
    all
}

fn types_of(info: &EntityInfo, context: &Context) -> String {
    let types = info.types.iter().map(|name| context.compact_iri(name.as_str()));
    types.collect::<Vec<_>>().join(";")
}

/// Selectors within what is registered: the types of the source, and the ids of both.
fn narrowed(selectors: &[Value], entities: &[&EntityInfo], context: &Context) -> Vec<Value> {
    if entities.is_empty() {
        return selectors.to_vec();
    }
    let mut all = Vec::new();
    for info in entities {
        for selector in selectors {
            let mut one = json!({ "type": types_of(info, context) });
            let ids: Vec<&str> = match selector.get("id") {
                Some(Value::String(id)) => vec![id],
                Some(Value::Array(ids)) => ids.iter().filter_map(Value::as_str).collect(),
                _ => Vec::new(),
            };
            let both: Vec<&str> = ids.iter().copied().filter(|id| info.is_of_id(id)).collect();
            if !ids.is_empty() && both.is_empty() {
                continue;
            }
            if let Some(id) = &info.id {
                one["id"] = id.as_str().into();
            } else if !both.is_empty() {
                one["id"] = both.into();
            } else if let Some(pattern) = selector.get("idPattern").and_then(Value::as_str) {
                one["idPattern"] = pattern.into();
            } else if let Some(pattern) = &info.id_pattern {
                one["idPattern"] = pattern.as_str().into();
            }
            all.push(one);
        }
    }
    all
}

/// Selectors of all that is registered, where the subscription names attributes alone.
fn registered(found: &Match, context: &Context) -> Option<Vec<Value>> {
    let mut all = Vec::new();
    for (info, matched) in found.matched() {
        if matched.entities.is_empty() {
            return None;
        }
        let any = [json!({})];
        let entities: Vec<&EntityInfo> =
            matched.entities.iter().map(|at| &info.entities[*at]).collect();
        all.extend(narrowed(&any, &entities, context));
    }
    Some(distinct(all.into_iter()))
}

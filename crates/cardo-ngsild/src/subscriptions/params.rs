//! How notifications are made (clause 5.2.14), and the members of a subscription that say more of it.

use serde_json::Value;

use super::model::{Notification, Representation};
use super::read::{Members, Reading, endpoint, flag, strings, text};
use crate::fault::Fault;
use crate::represent::{Format, Version};

/// What may stand there; what the server writes itself is not read.
const KNOWN: &[&str] = &[
    "endpoint",
    "attributes",
    "format",
    "join",
    "joinLevel",
    "omit",
    "pick",
    "showChanges",
    "sysAttrs",
    "lastFailure",
    "lastNotification",
    "lastSuccess",
    "status",
    "timesFailed",
    "timesSent",
    "type",
    "id",
];

pub(super) fn notification(members: &Members, reading: Reading<'_>) -> Result<Notification, Fault> {
    let none = Members::new();
    let params = match members.get("notification") {
        Some(Value::Object(params)) => params,
        None if reading.is_followed => &none,
        _ => return Err(Fault::bad_data("notification: an object is needed")),
    };
    if let Some(name) = params.keys().find(|name| !KNOWN.contains(&name.as_str())) {
        return Err(Fault::bad_data(format!("notification: {name:?} is not a member of it")));
    }
    let representation = representation(members, params)?;
    representation.shape(reading.limits, reading.names)?;
    let show_changes = flag(params, "showChanges")?.unwrap_or(false);
    if show_changes && representation.format == Format::Simplified {
        return Err(Fault::bad_data("showChanges cannot be true where the format is simplified"));
    }
    let endpoint = endpoint(params, reading.is_followed)?;
    Ok(Notification { representation, show_changes, endpoint })
}

fn representation(members: &Members, params: &Members) -> Result<Representation, Fault> {
    let own = |name: &str| Ok::<_, Fault>(text(params, name)?.map(str::to_owned));
    let format = match text(params, "format")? {
        None => Format::default(),
        Some(name) => name
            .parse()
            .map_err(|()| Fault::bad_data(format!("notification.format: {name:?} is no format")))?,
    };
    Ok(Representation {
        format,
        sys_attrs: flag(params, "sysAttrs")?.unwrap_or(false),
        attributes: attributes(params)?,
        pick: list(params, "pick")?,
        omit: list(params, "omit")?,
        datasets: strings(members, "datasetId")?.map(|ids| ids.join(",")),
        lang: text(members, "lang")?.map(str::to_owned),
        join: own("join")?,
        join_level: join_level(params)?,
        version: version(members)?,
    })
}

/// Table 5.2.14.1-1: `attributes` names attributes alone.
fn attributes(params: &Members) -> Result<Option<String>, Fault> {
    let names = list(params, "attributes")?;
    let mut each = names.iter().flat_map(|names| names.split(','));
    if let Some(name) = each.find(|name| ["id", "type", "scope"].contains(&name.trim())) {
        return Err(Fault::bad_data(format!("notification.attributes: {name:?} is no attribute")));
    }
    Ok(names)
}

fn list(params: &Members, name: &str) -> Result<Option<String>, Fault> {
    match strings(params, name)? {
        Some(names) if names.is_empty() => {
            Err(Fault::bad_data(format!("notification.{name}: the list is empty")))
        }
        names => Ok(names.map(|names| names.join(","))),
    }
}

fn join_level(params: &Members) -> Result<Option<String>, Fault> {
    match params.get("joinLevel") {
        None => Ok(None),
        Some(Value::Number(number)) => Ok(Some(number.to_string())),
        Some(_) => Err(Fault::bad_data("notification.joinLevel: not a number")),
    }
}

fn version(members: &Members) -> Result<Version, Fault> {
    let Some(text) = text(members, "ngsildConformance")? else { return Ok(Version::default()) };
    let version = Version::at_most(text).filter(|_| text.contains('.'));
    version.ok_or_else(|| {
        let detail = format!("ngsildConformance: {text:?} is no version such as 1.6");
        Fault::bad_data(detail)
    })
}

//! Readings from the future.

use std::time::Duration;

use cardo_model::{Entity, Timestamp};

/// Why an entity is not taken: one of its readings is further ahead of the clock of this machine
/// than a source's clock may be.
///
/// Taken in, it would stand before every true reading until its moment has come.
pub(crate) fn too_far_ahead(entity: &Entity, tolerance: Option<Duration>) -> Option<String> {
    let tolerance = i64::try_from(tolerance?.as_micros()).unwrap_or(i64::MAX);
    let now = Timestamp::now().as_micros();
    let instances = entity.attributes.iter().flat_map(|attribute| &attribute.instances);
    let latest = instances.filter_map(|instance| instance.observed_at).max()?;
    let ahead = latest.as_micros().saturating_sub(now);
    (ahead > tolerance).then(|| {
        format!(
            "observed at {latest}, which is {} s ahead of the clock of this server; `clock_ahead` allows {} s",
            ahead / 1_000_000,
            tolerance / 1_000_000
        )
    })
}

#[cfg(test)]
mod tests {
    use cardo_model::{Attribute, EntityId, Instance, Iri, JsonText, Value};

    use super::*;

    #[test]
    fn a_reading_may_be_ahead_by_the_tolerance_and_no_more() {
        let entity = |seconds: i64| {
            let mut instance = Instance::new(Value::property(JsonText::from_canonical("1"), false));
            let at = Timestamp::now().as_micros() + seconds * 1_000_000;
            instance.observed_at = Some(Timestamp::from_micros(at));
            let name = Iri::new("https://x.example/v".to_owned()).unwrap();
            Entity {
                id: EntityId::new("urn:x:1".to_owned()).unwrap(),
                types: vec![name.clone()],
                scopes: Vec::new(),
                attributes: vec![Attribute::new(name, instance)],
                expires_at: None,
            }
        };
        let tolerance = Some(Duration::from_secs(300));
        assert_eq!(too_far_ahead(&entity(-10), tolerance), None);
        assert_eq!(too_far_ahead(&entity(200), tolerance), None);
        assert!(too_far_ahead(&entity(3_600), tolerance).unwrap().contains("allows 300 s"));
        assert_eq!(too_far_ahead(&entity(3_600), None), None);
    }
}

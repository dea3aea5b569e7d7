use cardo_model::{EntityRef, InstanceRef, NameId, Timestamp};

/// What a filter is put to: an entity of the twin, a feature of a file layer, or what an entity
/// was before a change.
pub trait Candidate {
    /// The id.
    fn id(&self) -> &str;

    /// Whether it has this type.
    fn has_type(&self, name: NameId) -> bool;

    /// Calls `visit` with each type until it says `true`; whether it did.
    fn any_type(&self, visit: &mut dyn FnMut(NameId) -> bool) -> bool;

    /// Calls `visit` with each scope until it says `true`; whether it did.
    fn any_scope(&self, visit: &mut dyn FnMut(&str) -> bool) -> bool;

    /// Calls `visit` with each instance of the attribute until it says `true`; whether it did.
    fn any_instance(&self, name: NameId, visit: &mut dyn FnMut(&InstanceRef<'_>) -> bool) -> bool;

    /// Whether it has the attribute.
    fn has_attribute(&self, name: NameId) -> bool {
        self.any_instance(name, &mut |_| true)
    }

    /// The latest time at which one of the attributes was observed that count.
    fn latest_observation(&self, counts: &dyn Fn(NameId) -> bool) -> Option<Timestamp>;

    /// When it came into being.
    fn created_at(&self) -> Option<Timestamp>;

    /// When it last changed.
    fn modified_at(&self) -> Option<Timestamp>;

    /// When it ceases to be.
    fn expires_at(&self) -> Option<Timestamp>;
}

impl Candidate for EntityRef<'_> {
    fn id(&self) -> &str {
        EntityRef::id(self)
    }

    fn has_type(&self, name: NameId) -> bool {
        self.types().any(|t| t == name)
    }

    fn any_type(&self, visit: &mut dyn FnMut(NameId) -> bool) -> bool {
        self.types().any(visit)
    }

    fn any_scope(&self, visit: &mut dyn FnMut(&str) -> bool) -> bool {
        self.scopes().any(visit)
    }

    fn any_instance(&self, name: NameId, visit: &mut dyn FnMut(&InstanceRef<'_>) -> bool) -> bool {
        self.attribute(name).is_some_and(|a| a.instances().any(|i| visit(&i)))
    }

    fn latest_observation(&self, counts: &dyn Fn(NameId) -> bool) -> Option<Timestamp> {
        let counted = self.attributes().filter(|attribute| counts(attribute.name()));
        counted.flat_map(|attribute| attribute.instances()).filter_map(|i| i.observed_at()).max()
    }

    fn created_at(&self) -> Option<Timestamp> {
        Some(EntityRef::created_at(self))
    }

    fn modified_at(&self) -> Option<Timestamp> {
        Some(EntityRef::modified_at(self))
    }

    fn expires_at(&self) -> Option<Timestamp> {
        EntityRef::expires_at(self)
    }
}

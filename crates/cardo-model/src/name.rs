use std::fmt;

use hashbrown::HashMap;
use parking_lot::RwLock;

use crate::Iri;

/// The number by which a twin knows the full name of a type or an attribute.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NameId(u32);

impl NameId {
    /// Stands for a name that no record holds; nothing matches it.
    pub const UNKNOWN: Self = Self(u32::MAX);

    /// The id with this number.
    pub fn new(number: u32) -> Self {
        Self(number)
    }

    /// The number.
    pub fn as_u32(self) -> u32 {
        self.0
    }

    /// The number as an index of a table by name.
    pub fn as_index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Debug for NameId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// The names that a store knows, with their ids; names are added and never removed.
///
/// Ids are given by the store's table of names, so that every server of one store agrees.
#[derive(Default)]
pub struct Names {
    table: RwLock<Table>,
}

#[derive(Default)]
struct Table {
    by_name: HashMap<Iri, NameId, foldhash::fast::RandomState>,
    by_id: Vec<Option<Iri>>,
}

impl Names {
    /// The id of a name, where it is known.
    pub fn id(&self, name: &str) -> Option<NameId> {
        self.table.read().by_name.get(name).copied()
    }

    /// Looks up many names among which the same ones come again and again.
    pub fn lookup(&self) -> NameLookup<'_> {
        NameLookup { names: self, seen: HashMap::default() }
    }

    /// The id of a name, or [`NameId::UNKNOWN`].
    pub fn id_or_unknown(&self, name: &str) -> NameId {
        self.id(name).unwrap_or(NameId::UNKNOWN)
    }

    /// The name behind an id.
    pub fn name(&self, id: NameId) -> Option<Iri> {
        self.table.read().by_id.get(id.as_index()).cloned().flatten()
    }

    /// How many names are known.
    pub fn len(&self) -> usize {
        self.table.read().by_name.len()
    }

    /// Whether no name is known.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Every known name with its id, in the order of ids.
    pub fn all(&self) -> Vec<(NameId, Iri)> {
        let table = self.table.read();
        let mut all: Vec<_> = table.by_name.iter().map(|(n, id)| (*id, n.clone())).collect();
        all.sort_unstable_by_key(|(id, _)| *id);
        all
    }

    /// Learns names with the ids that the store gave them.
    pub fn learn(&self, names: impl IntoIterator<Item = (NameId, Iri)>) {
        let mut table = self.table.write();
        for (id, name) in names {
            if table.by_id.len() <= id.as_index() {
                table.by_id.resize(id.as_index() + 1, None);
            }
            table.by_id[id.as_index()] = Some(name.clone());
            table.by_name.insert(name, id);
        }
    }
}

/// Looks up names and remembers them; see [`Names::lookup`].
pub struct NameLookup<'a> {
    names: &'a Names,
    /// By the address of a text that is kept alive here: a batch shares the few texts it names.
    seen: HashMap<usize, (Iri, NameId), foldhash::fast::RandomState>,
}

impl NameLookup<'_> {
    /// The id of a name, where it is known.
    pub fn id(&mut self, name: &Iri) -> Option<NameId> {
        let address = name.as_str().as_ptr().addr();
        if let Some((_, id)) = self.seen.get(&address) {
            return Some(*id);
        }
        let id = self.names.id(name.as_str())?;
        self.seen.insert(address, (name.clone(), id));
        Some(id)
    }
}

impl fmt::Debug for NameLookup<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NameLookup({})", self.seen.len())
    }
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Names({})", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lookup_tells_names_apart_also_where_their_texts_are_at_the_same_place() {
        let names = Names::default();
        let iri = |n: u32| Iri::new(format!("https://e.org/{n:03}")).unwrap();
        names.learn((0..100).map(|n| (NameId::new(n), iri(n))));
        let mut lookup = names.lookup();
        for n in 0..200 {
            // Each text is dropped before the next one is made.
            let expected = (n < 100).then(|| NameId::new(n));
            assert_eq!(lookup.id(&iri(n)), expected);
        }
    }
}

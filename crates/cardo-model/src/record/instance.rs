use super::view::{AttributeRef, Attributes, CHECKED, Names32, walk_attributes};
use crate::codec::Reader;
use crate::{Kind, NameId, Timestamp};

/// In the byte of the kind: the instance came with its entity, so that it has no time of its own for that. Only
/// instances that stand in a record have it, and not those of attributes of attributes.
pub(super) const CAME_WITH_ENTITY: u8 = 1 << 7;
/// In the byte of the kind: the instance has not changed since it came, so that it has no second time.
pub(super) const NEVER_CHANGED: u8 = 1 << 6;
/// What of that byte is the kind.
pub(super) const KIND: u8 = !(CAME_WITH_ENTITY | NEVER_CHANGED);

pub(super) const HAS_DATASET: u8 = 1;
pub(super) const HAS_OBSERVED: u8 = 1 << 1;
pub(super) const HAS_UNIT: u8 = 1 << 2;
pub(super) const HAS_VALUE_TYPE: u8 = 1 << 3;
pub(super) const HAS_OBJECT_TYPES: u8 = 1 << 4;
pub(super) const HAS_EXPIRES: u8 = 1 << 5;
pub(super) const IS_COERCED: u8 = 1 << 6;
pub(super) const HAS_ATTRIBUTES: u8 = 1 << 7;

/// Kind and flags.
pub(super) const INSTANCE_FIXED: usize = 2;

/// How many bytes the times take behind kind and flags.
#[expect(clippy::inline_always, reason = "a page asks thousands of times")]
#[inline(always)]
pub(super) fn times_len(kind: u8) -> usize {
    let is_without = |flag: u8| usize::from(kind & flag != 0);
    16 - 8 * (is_without(CAME_WITH_ENTITY) + is_without(NEVER_CHANGED))
}

/// Instances one after the other.
#[derive(Clone, Copy)]
pub struct Instances<'a> {
    reader: Reader<'a>,
    left: usize,
    entity_created: i64,
}

impl<'a> Instances<'a> {
    #[inline]
    pub(super) fn read(mut reader: Reader<'a>, entity_created: i64) -> Self {
        let left = reader.len().expect(CHECKED);
        Self { reader, left, entity_created }
    }

    /// Whether none is left.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.left == 0
    }
}

impl ExactSizeIterator for Instances<'_> {}

impl<'a> Iterator for Instances<'a> {
    type Item = InstanceRef<'a>;

    #[expect(clippy::inline_always, reason = "a page reads thousands")]
    #[inline(always)]
    fn next(&mut self) -> Option<InstanceRef<'a>> {
        self.left = self.left.checked_sub(1)?;
        let bytes = self.reader.bytes().expect(CHECKED);
        Some(InstanceRef::read(bytes, self.entity_created).expect(CHECKED))
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

/// One instance of an attribute.
///
/// Small, since pages are made of thousands: what is only there at times is read when asked for.
#[derive(Clone, Copy)]
pub struct InstanceRef<'a> {
    bytes: &'a [u8],
    entity_created: i64,
    kind: Kind,
    flags: u8,
    /// Begins with what is only there at times.
    optional: Reader<'a>,
    value: &'a [u8],
    attributes: Reader<'a>,
}

/// The parts that are only there at times, in the order in which they stand.
const OPTIONAL: [u8; 6] =
    [HAS_DATASET, HAS_OBSERVED, HAS_UNIT, HAS_VALUE_TYPE, HAS_OBJECT_TYPES, HAS_EXPIRES];

/// Reads over those parts that stand before `end`.
#[inline]
fn skip_optional(reader: &mut Reader<'_>, flags: u8, end: u8) -> Option<()> {
    for flag in OPTIONAL.into_iter().take_while(|flag| *flag != end) {
        if flags & flag == 0 {
            continue;
        }
        match flag {
            HAS_OBSERVED | HAS_EXPIRES => {
                reader.i64()?;
            }
            _ => {
                reader.bytes()?;
            }
        }
    }
    Some(())
}

impl<'a> InstanceRef<'a> {
    #[inline(always)]
    pub(super) fn read(bytes: &'a [u8], entity_created: i64) -> Option<Self> {
        const ANY: u8 = !(IS_COERCED | HAS_ATTRIBUTES);
        let mut reader = Reader::new(bytes);
        let first = reader.u8()?;
        let kind = Kind::from_u8(first & KIND)?;
        let flags = reader.u8()?;
        reader.take(times_len(first))?;
        let optional = reader;
        if flags & ANY != 0 {
            skip_optional(&mut reader, flags, 0)?;
        }
        let value = reader.bytes()?;
        Some(Self { bytes, entity_created, kind, flags, optional, value, attributes: reader })
    }

    #[inline]
    fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// What stands at a part that may be there, where it is.
    #[inline]
    fn optional(&self, flag: u8) -> Option<Reader<'a>> {
        if !self.has(flag) {
            return None;
        }
        let mut reader = self.optional;
        skip_optional(&mut reader, self.flags, flag).expect(CHECKED);
        Some(reader)
    }

    #[inline]
    fn optional_bytes(&self, flag: u8) -> Option<&'a [u8]> {
        self.optional(flag).map(|mut reader| reader.bytes().expect(CHECKED))
    }

    #[inline]
    fn optional_text(&self, flag: u8) -> Option<&'a str> {
        self.optional(flag).map(|mut reader| reader.str().expect(CHECKED))
    }

    #[inline]
    fn optional_moment(&self, flag: u8) -> Option<Timestamp> {
        let bits = self.optional(flag)?.i64().expect(CHECKED);
        Some(Timestamp::from_bits(bits))
    }

    #[inline]
    fn moment(&self, at: usize) -> Timestamp {
        let bits = *self.bytes[at..].first_chunk().expect(CHECKED);
        Timestamp::from_bits(i64::from_le_bytes(bits))
    }

    /// The kind of attribute.
    #[inline]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The JSON text of the value (see [`crate::Value`]).
    #[inline]
    pub fn value(&self) -> &'a str {
        std::str::from_utf8(self.value).expect(CHECKED)
    }

    /// The JSON text of the value as bytes; it is UTF-8.
    #[inline]
    pub fn value_bytes(&self) -> &'a [u8] {
        self.value
    }

    /// Whether the value holds names that a context expanded.
    #[inline]
    pub fn is_coerced(&self) -> bool {
        self.has(IS_COERCED)
    }

    /// Whether there is nothing but the value, its kind and when it came and changed.
    #[inline]
    pub fn is_bare(&self) -> bool {
        self.flags & !IS_COERCED == 0
    }

    /// Which of several instances this is; the default instance has none.
    #[inline]
    pub fn dataset_id(&self) -> Option<&'a str> {
        self.optional_text(HAS_DATASET)
    }

    /// When the value was observed.
    #[inline]
    pub fn observed_at(&self) -> Option<Timestamp> {
        self.optional_moment(HAS_OBSERVED)
    }

    /// The code of the unit.
    #[inline]
    pub fn unit_code(&self) -> Option<&'a str> {
        self.optional_text(HAS_UNIT)
    }

    /// The datatype that a client gave.
    #[inline]
    pub fn value_type(&self) -> Option<&'a str> {
        self.optional_text(HAS_VALUE_TYPE)
    }

    /// Types of the entities that a relationship points to.
    #[inline]
    pub fn object_types(&self) -> Option<Names32<'a>> {
        Some(Names32::read(Reader::new(self.optional_bytes(HAS_OBJECT_TYPES)?)))
    }

    /// When the instance ceases to be.
    #[inline]
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.optional_moment(HAS_EXPIRES)
    }

    /// When it came into being.
    #[inline]
    pub fn created_at(&self) -> Timestamp {
        if self.is_without(CAME_WITH_ENTITY) {
            Timestamp::from_bits(self.entity_created)
        } else {
            self.moment(INSTANCE_FIXED)
        }
    }

    /// When it last changed.
    #[inline]
    pub fn modified_at(&self) -> Timestamp {
        if self.is_without(NEVER_CHANGED) {
            return self.created_at();
        }
        self.moment(INSTANCE_FIXED + times_len(self.bytes[0]) - 8)
    }

    #[inline]
    fn is_without(&self, flag: u8) -> bool {
        self.bytes[0] & flag != 0
    }

    /// The time by which readings are ordered: of the observation, else of the change.
    #[inline]
    pub fn time(&self) -> Timestamp {
        self.observed_at().unwrap_or_else(|| self.modified_at())
    }

    /// Attributes of the attribute.
    #[inline]
    pub fn attributes(&self) -> Attributes<'a> {
        if self.has(HAS_ATTRIBUTES) {
            Attributes::read(self.attributes, self.entity_created)
        } else {
            Attributes::none()
        }
    }

    /// The attribute of the attribute with this name.
    #[inline]
    pub fn attribute(&self, name: NameId) -> Option<AttributeRef<'a>> {
        self.attributes().find(|attribute| attribute.name() == name)
    }

    /// The instance as it stands alone, as [`super::encode_instance`] writes it.
    pub fn to_bytes(&self) -> Box<[u8]> {
        let mut out = Vec::with_capacity(self.bytes.len() + 16);
        self.put(&mut out, None);
        out.into()
    }

    /// Writes it as it stands alone, or in the record of an entity that came into being then.
    pub(super) fn put(&self, out: &mut Vec<u8>, entity_created: Option<Timestamp>) {
        put_times(
            out,
            (self.kind, self.flags),
            (self.created_at(), self.modified_at()),
            entity_created,
        );
        out.extend_from_slice(self.optional.rest());
    }

    /// Reads an instance that stands alone, such as one of a change record.
    #[inline]
    pub fn from_bytes(bytes: &'a [u8]) -> Option<Self> {
        walk_instance(bytes, 0, false)?;
        Self::read(bytes, NONE)
    }
}

/// For instances that have times of their own.
const NONE: i64 = 0;

/// Those flags that are set, in one byte.
pub(super) fn flags<const N: usize>(all: [(bool, u8); N]) -> u8 {
    all.into_iter().filter(|(is_set, _)| *is_set).fold(0, |all, (_, flag)| all | flag)
}

/// Kind, flags and those times that say something.
pub(super) fn put_times(
    out: &mut Vec<u8>,
    (kind, flags): (Kind, u8),
    (created, modified): (Timestamp, Timestamp),
    entity_created: Option<Timestamp>,
) {
    let came_with_entity = entity_created == Some(created);
    let never_changed = modified == created;
    let without = [(came_with_entity, CAME_WITH_ENTITY), (never_changed, NEVER_CHANGED)];
    out.extend_from_slice(&[kind as u8 | self::flags(without), flags]);
    if !came_with_entity {
        out.extend_from_slice(&created.to_bits().to_le_bytes());
    }
    if !never_changed {
        out.extend_from_slice(&modified.to_bits().to_le_bytes());
    }
}

/// Whether the bytes are an instance; one of an entity's own attributes may lean on the times of the entity.
pub(super) fn walk_instance(bytes: &[u8], depth: usize, is_of_entity: bool) -> Option<()> {
    let instance = InstanceRef::read(bytes, NONE)?;
    if instance.is_without(CAME_WITH_ENTITY) && !is_of_entity {
        return None;
    }
    std::str::from_utf8(instance.value).ok()?;
    for flag in [HAS_DATASET, HAS_UNIT, HAS_VALUE_TYPE] {
        std::str::from_utf8(instance.optional_bytes(flag).unwrap_or_default()).ok()?;
    }
    if let Some(names) = instance.optional_bytes(HAS_OBJECT_TYPES) {
        let mut reader = Reader::new(names);
        for _ in 0..reader.len()? {
            reader.u32()?;
        }
    }
    if instance.has(HAS_ATTRIBUTES) {
        let mut reader = instance.attributes;
        walk_attributes(&mut reader, depth + 1, false)?;
        return reader.is_empty().then_some(());
    }
    instance.attributes.is_empty().then_some(())
}

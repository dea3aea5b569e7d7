use super::{Revision, Seq, VERSION};
use crate::codec::{Excerpt, Reader};
use crate::{Kind, NameId, Timestamp};

const CHECKED: &str = "records are checked when they are made";

pub(super) const FLAG_EXPIRES: u8 = 1;

pub(super) const HAS_DATASET: u8 = 1;
pub(super) const HAS_OBSERVED: u8 = 1 << 1;
pub(super) const HAS_UNIT: u8 = 1 << 2;
pub(super) const HAS_VALUE_TYPE: u8 = 1 << 3;
pub(super) const HAS_OBJECT_TYPES: u8 = 1 << 4;
pub(super) const HAS_EXPIRES: u8 = 1 << 5;
pub(super) const IS_COERCED: u8 = 1 << 6;
pub(super) const HAS_ATTRIBUTES: u8 = 1 << 7;

/// The bytes before what is only there at times: version, flags, seq, created, modified, revision,
/// and where the attributes begin.
pub(super) const FIXED: usize = 38;
/// Where in the fixed bytes the place of the attributes stands.
pub(super) const ATTRIBUTES_AT: usize = 34;

/// A record read in place.
#[derive(Clone, Copy)]
pub struct EntityRef<'a> {
    bytes: &'a [u8],
}

impl<'a> EntityRef<'a> {
    #[inline]
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    #[inline]
    fn fixed(&self, at: usize) -> [u8; 8] {
        *self.bytes[at..].first_chunk().expect(CHECKED)
    }

    /// The place in the order of creation.
    #[inline]
    pub fn seq(&self) -> Seq {
        Seq::from_u64(u64::from_le_bytes(self.fixed(2)))
    }

    /// When the entity came into being.
    #[inline]
    pub fn created_at(&self) -> Timestamp {
        Timestamp::from_bits(i64::from_le_bytes(self.fixed(10)))
    }

    /// When it last changed.
    #[inline]
    pub fn modified_at(&self) -> Timestamp {
        Timestamp::from_bits(i64::from_le_bytes(self.fixed(18)))
    }

    /// The revision that last changed it.
    #[inline]
    pub fn revision(&self) -> Revision {
        Revision(u64::from_le_bytes(self.fixed(26)))
    }

    /// When it ceases to be, if ever.
    #[inline]
    pub fn expires_at(&self) -> Option<Timestamp> {
        (self.bytes[1] & FLAG_EXPIRES != 0)
            .then(|| Timestamp::from_bits(i64::from_le_bytes(self.fixed(FIXED))))
    }

    #[inline]
    fn body(&self) -> Reader<'a> {
        let start = if self.bytes[1] & FLAG_EXPIRES != 0 { FIXED + 8 } else { FIXED };
        Reader::new(&self.bytes[start..])
    }

    /// The id as bytes; it is UTF-8.
    #[inline]
    pub fn id_bytes(&self) -> &'a [u8] {
        self.body().bytes().expect(CHECKED)
    }

    /// The same among the bytes of the record.
    #[inline]
    pub fn id_excerpt(&self) -> Excerpt<'a> {
        self.body().excerpt().expect(CHECKED)
    }

    /// The id.
    #[inline]
    pub fn id(&self) -> &'a str {
        self.body().str().expect(CHECKED)
    }

    #[inline]
    fn behind_id(&self) -> Reader<'a> {
        let mut reader = self.body();
        reader.bytes().expect(CHECKED);
        reader
    }

    /// The types.
    #[inline]
    pub fn types(&self) -> Names32<'a> {
        let mut reader = self.behind_id();
        let left = reader.len().expect(CHECKED);
        Names32 { reader, left }
    }

    /// The scopes.
    #[inline]
    pub fn scopes(&self) -> Scopes<'a> {
        let mut reader = self.behind_types();
        let left = reader.len().expect(CHECKED);
        Scopes { reader, left }
    }

    #[inline]
    fn behind_types(&self) -> Reader<'a> {
        let mut types = self.types();
        while types.next().is_some() {}
        types.reader
    }

    /// The attributes, in the order in which they came.
    #[inline]
    pub fn attributes(&self) -> Attributes<'a> {
        let at = attributes_at(self.bytes).expect(CHECKED);
        Attributes::read(Reader::new(&self.bytes[at..]))
    }

    /// The attribute of this name.
    #[inline]
    pub fn attribute(&self, name: NameId) -> Option<AttributeRef<'a>> {
        self.attributes().find(|attribute| attribute.name() == name)
    }
}

/// Names one after the other.
#[derive(Clone, Copy)]
pub struct Names32<'a> {
    reader: Reader<'a>,
    left: usize,
}

impl Iterator for Names32<'_> {
    type Item = NameId;

    #[inline]
    fn next(&mut self) -> Option<NameId> {
        self.left = self.left.checked_sub(1)?;
        Some(NameId::new(self.reader.u32().expect(CHECKED)))
    }
}

/// Scopes one after the other, as text.
#[derive(Clone, Copy)]
pub struct Scopes<'a> {
    reader: Reader<'a>,
    left: usize,
}

impl<'a> Iterator for Scopes<'a> {
    type Item = &'a str;

    #[inline]
    fn next(&mut self) -> Option<&'a str> {
        self.left = self.left.checked_sub(1)?;
        Some(self.reader.str().expect(CHECKED))
    }
}

/// Attributes one after the other.
#[derive(Clone, Copy)]
pub struct Attributes<'a> {
    reader: Reader<'a>,
    left: usize,
}

impl<'a> Attributes<'a> {
    #[inline]
    fn read(mut reader: Reader<'a>) -> Self {
        let left = reader.len().expect(CHECKED);
        Self { reader, left }
    }

    #[inline]
    fn none() -> Self {
        Self { reader: Reader::new(&[]), left: 0 }
    }

    /// The next attribute, with the JSON text of its value where it has one instance with nothing beyond that.
    #[inline(always)]
    pub fn next_with_value(&mut self) -> Option<(AttributeRef<'a>, Option<Excerpt<'a>>)> {
        // Name and length, how many instances, length, kind and flags, times, length of the value. Nearly all
        // of these numbers take one byte.
        const HEAD: usize = 4 + INSTANCE_FIXED + 1;
        let bytes = self.reader.rest();
        if self.left > 0
            && let Some((head, from)) = bytes.split_first_chunk::<HEAD>()
            && let [name @ 0..0x80, len @ 0..0x80, 1, 0..0x80, _, 0, .., value @ 0..0x80] = head
            && let Some(value) = Excerpt::new(from, usize::from(*value))
            && let Some((body, rest)) = Excerpt::split(&bytes[2..], usize::from(*len))
        {
            self.left -= 1;
            self.reader = rest;
            return Some((AttributeRef { name: NameId::new(u32::from(*name)), body }, Some(value)));
        }
        self.next_with_long_value()
    }

    /// The same where lengths take two bytes, as those of most geometries do.
    #[inline(never)]
    fn next_with_long_value(&mut self) -> Option<(AttributeRef<'a>, Option<Excerpt<'a>>)> {
        const HEAD: usize = 6 + INSTANCE_FIXED + 2;
        let two = |low: u8, high: u8| usize::from(low & 0x7f) | usize::from(high) << 7;
        let bytes = self.reader.rest();
        if self.left > 0
            && let Some((head, from)) = bytes.split_first_chunk::<HEAD>()
            && let [
                name @ 0..0x80,
                len @ 0x80..=0xff,
                len_high @ 0..0x80,
                1,
                0x80..=0xff,
                0..0x80,
                _,
                0,
                ..,
                value @ 0x80..=0xff,
                value_high @ 0..0x80,
            ] = head
            && let Some(value) = Excerpt::new(from, two(*value, *value_high))
            && let Some((body, rest)) = Excerpt::split(&bytes[3..], two(*len, *len_high))
        {
            self.left -= 1;
            self.reader = rest;
            return Some((AttributeRef { name: NameId::new(u32::from(*name)), body }, Some(value)));
        }
        let attribute = self.next()?;
        Some((attribute, None))
    }

    /// How many are left.
    #[inline]
    pub fn len(&self) -> usize {
        self.left
    }

    /// Whether none is left.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.left == 0
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = AttributeRef<'a>;

    #[expect(clippy::inline_always, reason = "a page reads thousands")]
    #[inline(always)]
    fn next(&mut self) -> Option<AttributeRef<'a>> {
        self.left = self.left.checked_sub(1)?;
        let (attribute, reader) = AttributeRef::read(self.reader);
        self.reader = reader;
        Some(attribute)
    }
}

/// One attribute with its instances.
#[derive(Clone, Copy)]
pub struct AttributeRef<'a> {
    name: NameId,
    body: Excerpt<'a>,
}

impl<'a> AttributeRef<'a> {
    /// The next attribute, and what is behind it.
    #[expect(clippy::inline_always, reason = "a page reads thousands")]
    #[inline(always)]
    fn read(reader: Reader<'a>) -> (Self, Reader<'a>) {
        // Nearly all names and lengths take one byte.
        if let [name @ 0..0x80, len @ 0..0x80, from @ ..] = reader.rest()
            && let Some((body, reader)) = Excerpt::split(from, usize::from(*len))
        {
            return (Self { name: NameId::new(u32::from(*name)), body }, reader);
        }
        Self::read_long(reader)
    }

    #[inline(never)]
    fn read_long(mut reader: Reader<'a>) -> (Self, Reader<'a>) {
        let name = NameId::new(reader.u32().expect(CHECKED));
        let body = reader.excerpt().expect(CHECKED);
        (Self { name, body }, reader)
    }

    /// The name.
    #[inline]
    pub fn name(&self) -> NameId {
        self.name
    }

    /// The instances, the default one first where there is one.
    #[inline]
    pub fn instances(&self) -> Instances<'a> {
        let mut reader = Reader::new(self.body.bytes());
        let left = reader.len().expect(CHECKED);
        Instances { reader, left }
    }

    /// The instance with this dataset id, or the default instance.
    #[inline]
    pub fn instance(&self, dataset_id: Option<&str>) -> Option<InstanceRef<'a>> {
        self.instances().find(|instance| instance.dataset_id() == dataset_id)
    }

    /// The only instance, where it has nothing beyond a value, a unit and when it was observed.
    #[inline(always)]
    pub fn single(&self) -> Option<Single<'a>> {
        // Nearly all have a value alone, and lengths of one byte. Not only the body is read: what lies behind a value
        // helps to copy it.
        const TIMES: usize = INSTANCE_FIXED - 2;
        if let [1, 0..0x80, kind, 0, more @ ..] = self.body.with_rest()
            && let Some((_, [len @ 0..0x80, from @ ..])) = more.split_first_chunk::<TIMES>()
            && let Some((value, _)) = Excerpt::split(from, usize::from(*len))
        {
            let kind = Kind::from_u8(*kind)?;
            return Some(Single { kind, value, unit_code: None, observed_at: None });
        }
        self.long_single()
    }

    #[inline(never)]
    fn long_single(&self) -> Option<Single<'a>> {
        const OTHERS: u8 = !(HAS_OBSERVED | HAS_UNIT);
        let mut reader = Reader::new(self.body.with_rest());
        if reader.u8()? != 1 {
            return None;
        }
        // How long the instance is.
        reader.varint()?;
        // The kind, the flags, and when it came and changed.
        let [kind, flags, ..] = *reader.take(INSTANCE_FIXED)?.first_chunk::<INSTANCE_FIXED>()?;
        if flags & OTHERS != 0 {
            return None;
        }
        let observed = if flags & HAS_OBSERVED == 0 { None } else { Some(reader.i64()?) };
        let unit_code = if flags & HAS_UNIT == 0 { None } else { Some(reader.str()?) };
        let observed_at = observed.map(Timestamp::from_bits);
        let kind = Kind::from_u8(kind)?;
        Some(Single { kind, value: reader.excerpt()?, unit_code, observed_at })
    }

    /// The bytes of all instances, as they stand in the record.
    #[inline]
    pub fn as_bytes(&self) -> &'a [u8] {
        self.body.bytes()
    }
}

/// The only instance of an attribute, see [`AttributeRef::single`].
#[derive(Clone, Copy, Debug)]
pub struct Single<'a> {
    /// The kind of attribute.
    pub kind: Kind,
    /// The JSON text of the value; it is UTF-8 and holds no names that a context expanded.
    pub value: Excerpt<'a>,
    /// The code of the unit.
    pub unit_code: Option<&'a str>,
    /// When the value was observed.
    pub observed_at: Option<Timestamp>,
}

/// Instances one after the other.
#[derive(Clone, Copy)]
pub struct Instances<'a> {
    reader: Reader<'a>,
    left: usize,
}

impl Instances<'_> {
    /// How many are left.
    #[inline]
    pub fn len(&self) -> usize {
        self.left
    }

    /// Whether none is left.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.left == 0
    }
}

impl<'a> Iterator for Instances<'a> {
    type Item = InstanceRef<'a>;

    #[expect(clippy::inline_always, reason = "a page reads thousands")]
    #[inline(always)]
    fn next(&mut self) -> Option<InstanceRef<'a>> {
        self.left = self.left.checked_sub(1)?;
        Some(InstanceRef::read(self.reader.bytes().expect(CHECKED)).expect(CHECKED))
    }
}

/// One instance of an attribute.
///
/// Small, since pages are made of thousands: what is only there at times is read when asked for.
#[derive(Clone, Copy)]
pub struct InstanceRef<'a> {
    bytes: &'a [u8],
    kind: Kind,
    flags: u8,
    /// Begins with what is only there at times.
    optional: Reader<'a>,
    value: &'a [u8],
    attributes: Reader<'a>,
}

/// Where the times of an instance stand.
const CREATED_AT: usize = 2;
const MODIFIED_AT: usize = 10;
/// Kind, flags and both times.
const INSTANCE_FIXED: usize = 18;
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
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        const ANY: u8 = !(IS_COERCED | HAS_ATTRIBUTES);
        let mut reader = Reader::new(bytes);
        let kind = Kind::from_u8(reader.u8()?)?;
        let flags = reader.u8()?;
        reader.take(INSTANCE_FIXED - 2)?;
        let optional = reader;
        if flags & ANY != 0 {
            skip_optional(&mut reader, flags, 0)?;
        }
        let value = reader.bytes()?;
        Some(Self { bytes, kind, flags, optional, value, attributes: reader })
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
        let mut reader = Reader::new(self.optional_bytes(HAS_OBJECT_TYPES)?);
        let left = reader.len().expect(CHECKED);
        Some(Names32 { reader, left })
    }

    /// When the instance ceases to be.
    #[inline]
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.optional_moment(HAS_EXPIRES)
    }

    /// When it came into being.
    #[inline]
    pub fn created_at(&self) -> Timestamp {
        self.moment(CREATED_AT)
    }

    /// When it last changed.
    #[inline]
    pub fn modified_at(&self) -> Timestamp {
        self.moment(MODIFIED_AT)
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
            Attributes::read(self.attributes)
        } else {
            Attributes::none()
        }
    }

    /// The attribute of the attribute with this name.
    #[inline]
    pub fn attribute(&self, name: NameId) -> Option<AttributeRef<'a>> {
        self.attributes().find(|attribute| attribute.name() == name)
    }

    /// The instance as it stands in the record.
    #[inline]
    pub fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Reads an instance that stands alone, such as one of a change record.
    #[inline]
    pub fn from_bytes(bytes: &'a [u8]) -> Option<Self> {
        is_instance(bytes).then(|| Self::read(bytes).expect(CHECKED))
    }
}

/// Where the attributes begin.
pub(super) fn attributes_at(bytes: &[u8]) -> Option<usize> {
    let at = u32::from_le_bytes(*bytes.get(ATTRIBUTES_AT..)?.first_chunk()?);
    Some(at as usize)
}

pub(super) fn is_well_formed(bytes: &[u8]) -> bool {
    let Some((head, _)) = bytes.split_at_checked(FIXED) else { return false };
    let body_at = if head[1] & FLAG_EXPIRES != 0 { FIXED + 8 } else { FIXED };
    head[0] == VERSION && bytes.len() > body_at && walk_body(bytes, body_at).is_some()
}

fn walk_body(bytes: &[u8], body_at: usize) -> Option<()> {
    let mut reader = Reader::new(&bytes[body_at..]);
    crate::EntityId::new(reader.str()?).ok()?;
    for _ in 0..reader.len()? {
        reader.u32()?;
    }
    for _ in 0..reader.len()? {
        reader.str()?;
    }
    if attributes_at(bytes)? != bytes.len() - reader.rest().len() {
        return None;
    }
    walk_attributes(&mut reader, 0)?;
    reader.is_empty().then_some(())
}

fn walk_attributes(reader: &mut Reader<'_>, depth: usize) -> Option<()> {
    if depth > crate::MAX_JSON_DEPTH {
        return None;
    }
    for _ in 0..reader.len()? {
        reader.u32()?;
        let mut body = Reader::new(reader.bytes()?);
        for _ in 0..body.len()? {
            walk_instance(body.bytes()?, depth)?;
        }
        body.is_empty().then_some(())?;
    }
    Some(())
}

fn is_instance(bytes: &[u8]) -> bool {
    walk_instance(bytes, 0).is_some()
}

fn walk_instance(bytes: &[u8], depth: usize) -> Option<()> {
    let instance = InstanceRef::read(bytes)?;
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
        walk_attributes(&mut reader, depth + 1)?;
        return reader.is_empty().then_some(());
    }
    instance.attributes.is_empty().then_some(())
}

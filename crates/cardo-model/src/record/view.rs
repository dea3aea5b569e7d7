use super::instance::{
    HAS_OBSERVED, HAS_UNIT, INSTANCE_FIXED, InstanceRef, Instances, KIND, times_len, walk_instance,
};
use super::{Revision, Seq, VERSION};
use crate::codec::{Excerpt, Reader};
use crate::{Kind, NameId, Timestamp};

pub(super) const CHECKED: &str = "records are checked when they are made";

pub(super) const FLAG_EXPIRES: u8 = 1;
/// The entity has changed since it was created, so that there is a second time and a revision.
pub(super) const FLAG_CHANGED: u8 = 1 << 1;

/// The bytes before what is only there at times: version, flags, where the attributes begin, seq, created.
pub(super) const FIXED: usize = 22;
/// Where in the fixed bytes the place of the attributes stands.
pub(super) const ATTRIBUTES_AT: usize = 2;
const SEQ_AT: usize = 6;
const CREATED_AT: usize = 14;

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

    #[inline]
    fn moment(&self, at: usize) -> Timestamp {
        Timestamp::from_bits(i64::from_le_bytes(self.fixed(at)))
    }

    #[inline]
    fn has(&self, flag: u8) -> bool {
        self.bytes[1] & flag != 0
    }

    /// The place in the order of creation.
    #[inline]
    pub fn seq(&self) -> Seq {
        Seq::from_u64(u64::from_le_bytes(self.fixed(SEQ_AT)))
    }

    #[inline]
    fn created_bits(&self) -> i64 {
        i64::from_le_bytes(self.fixed(CREATED_AT))
    }

    /// When the entity came into being.
    #[inline]
    pub fn created_at(&self) -> Timestamp {
        Timestamp::from_bits(self.created_bits())
    }

    /// When it last changed.
    #[inline]
    pub fn modified_at(&self) -> Timestamp {
        if self.has(FLAG_CHANGED) { self.moment(FIXED) } else { self.created_at() }
    }

    /// The revision that last changed it.
    #[inline]
    pub fn revision(&self) -> Revision {
        if self.has(FLAG_CHANGED) {
            Revision(u64::from_le_bytes(self.fixed(FIXED + 8)))
        } else {
            self.seq().revision()
        }
    }

    /// When it ceases to be, if ever.
    #[inline]
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.has(FLAG_EXPIRES).then(|| self.moment(body_at(self.bytes[1]) - 8))
    }

    #[inline]
    fn body(&self) -> Reader<'a> {
        Reader::new(&self.bytes[body_at(self.bytes[1])..])
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
        Names32::read(self.behind_id())
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
        Attributes::read(Reader::new(&self.bytes[at..]), self.created_bits())
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

impl<'a> Names32<'a> {
    #[inline]
    pub(super) fn read(mut reader: Reader<'a>) -> Self {
        let left = reader.len().expect(CHECKED);
        Self { reader, left }
    }
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
    entity_created: i64,
}

impl<'a> Attributes<'a> {
    #[inline]
    pub(super) fn read(mut reader: Reader<'a>, entity_created: i64) -> Self {
        let left = reader.len().expect(CHECKED);
        Self { reader, left, entity_created }
    }

    #[inline]
    pub(super) fn none() -> Self {
        Self { reader: Reader::new(&[]), left: 0, entity_created: 0 }
    }

    #[inline]
    fn attribute(&self, name: u8, body: Excerpt<'a>) -> AttributeRef<'a> {
        let entity_created = self.entity_created;
        AttributeRef { name: name.into(), body, entity_created }
    }

    /// The next attribute, with the JSON text of its value where it has one instance with nothing beyond that.
    #[expect(clippy::inline_always, reason = "a page reads thousands")]
    #[inline(always)]
    pub fn next_with_value(&mut self) -> Option<(AttributeRef<'a>, Option<Excerpt<'a>>)> {
        // Name and length, how many instances, length, kind and flags, times, length of the value. Nearly all
        // of these numbers take one byte.
        let bytes = self.reader.rest();
        if self.left > 0
            && let [name @ 0..0x80, len @ 0..0x80, 1, 0..0x80, kind, 0, more @ ..] = bytes
            && let Some([value @ 0..0x80, from @ ..]) = more.get(times_len(*kind)..)
            && let Some(value) = Excerpt::new(from, usize::from(*value))
            && let Some((body, rest)) = Excerpt::split(&bytes[2..], usize::from(*len))
        {
            self.left -= 1;
            self.reader = rest;
            return Some((self.attribute(*name, body), Some(value)));
        }
        self.next_with_long_value()
    }

    /// The same where lengths take two bytes, as those of most geometries do.
    #[inline(never)]
    fn next_with_long_value(&mut self) -> Option<(AttributeRef<'a>, Option<Excerpt<'a>>)> {
        let two = |low: u8, high: u8| usize::from(low & 0x7f) | usize::from(high) << 7;
        let bytes = self.reader.rest();
        if self.left > 0
            && let [
                name @ 0..0x80,
                len @ 0x80..=0xff,
                len_high @ 0..0x80,
                1,
                0x80..=0xff,
                0..0x80,
                kind,
                0,
                more @ ..,
            ] = bytes
            && let Some([value @ 0x80..=0xff, value_high @ 0..0x80, from @ ..]) =
                more.get(times_len(*kind)..)
            && let Some(value) = Excerpt::new(from, two(*value, *value_high))
            && let Some((body, rest)) = Excerpt::split(&bytes[3..], two(*len, *len_high))
        {
            self.left -= 1;
            self.reader = rest;
            return Some((self.attribute(*name, body), Some(value)));
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
        let (attribute, reader) = AttributeRef::read(self.reader, self.entity_created);
        self.reader = reader;
        Some(attribute)
    }
}

/// One attribute with its instances.
#[derive(Clone, Copy)]
pub struct AttributeRef<'a> {
    /// As wide as what is copied at once: a narrow one just written would be waited for.
    name: u64,
    body: Excerpt<'a>,
    entity_created: i64,
}

impl<'a> AttributeRef<'a> {
    /// The next attribute, and what is behind it.
    #[expect(clippy::inline_always, reason = "a page reads thousands")]
    #[inline(always)]
    fn read(reader: Reader<'a>, entity_created: i64) -> (Self, Reader<'a>) {
        // Nearly all names and lengths take one byte.
        if let [name @ 0..0x80, len @ 0..0x80, from @ ..] = reader.rest()
            && let Some((body, reader)) = Excerpt::split(from, usize::from(*len))
        {
            return (Self { name: u64::from(*name), body, entity_created }, reader);
        }
        Self::read_long(reader, entity_created)
    }

    #[inline(never)]
    fn read_long(mut reader: Reader<'a>, entity_created: i64) -> (Self, Reader<'a>) {
        let name = reader.u32().expect(CHECKED).into();
        let body = reader.excerpt().expect(CHECKED);
        (Self { name, body, entity_created }, reader)
    }

    /// The name.
    #[inline]
    pub fn name(&self) -> NameId {
        #[expect(clippy::cast_possible_truncation, reason = "it was one of 32 bits")]
        NameId::new(self.name as u32)
    }

    /// The instances, the default one first where there is one.
    #[inline]
    pub fn instances(&self) -> Instances<'a> {
        Instances::read(Reader::new(self.body.bytes()), self.entity_created)
    }

    /// The instance with this dataset id, or the default instance.
    #[inline]
    pub fn instance(&self, dataset_id: Option<&str>) -> Option<InstanceRef<'a>> {
        self.instances().find(|instance| instance.dataset_id() == dataset_id)
    }

    /// The only instance, where it has nothing beyond a value, a unit and when it was observed.
    #[expect(clippy::inline_always, reason = "a page reads thousands")]
    #[inline(always)]
    pub fn single(&self) -> Option<Single<'a>> {
        // Nearly all have a value alone, and lengths of one byte. Not only the body is read: what lies behind a value
        // helps to copy it.
        if let [1, 0..0x80, kind, 0, more @ ..] = self.body.with_rest()
            && let Some([len @ 0..0x80, from @ ..]) = more.get(times_len(*kind)..)
            && let Some(value) = Excerpt::new(from, usize::from(*len))
        {
            let kind = Kind::from_u8(*kind & KIND)?;
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
        let [kind, flags] = *reader.take(INSTANCE_FIXED)?.first_chunk()?;
        reader.take(times_len(kind))?;
        if flags & OTHERS != 0 {
            return None;
        }
        let observed = if flags & HAS_OBSERVED == 0 { None } else { Some(reader.i64()?) };
        let unit_code = if flags & HAS_UNIT == 0 { None } else { Some(reader.str()?) };
        let observed_at = observed.map(Timestamp::from_bits);
        let kind = Kind::from_u8(kind & KIND)?;
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

/// Where the attributes begin.
pub(super) fn attributes_at(bytes: &[u8]) -> Option<usize> {
    let at = u32::from_le_bytes(*bytes.get(ATTRIBUTES_AT..)?.first_chunk()?);
    Some(at as usize)
}

/// Where the id begins.
#[inline]
fn body_at(flags: u8) -> usize {
    let of = |flag: u8, len: usize| if flags & flag == 0 { 0 } else { len };
    FIXED + of(FLAG_CHANGED, 16) + of(FLAG_EXPIRES, 8)
}

/// The bytes between the times and the attributes: id, types, scopes.
pub(super) fn head_bytes(bytes: &[u8]) -> &[u8] {
    &bytes[body_at(bytes[1])..attributes_at(bytes).expect(CHECKED)]
}

pub(super) fn is_well_formed(bytes: &[u8]) -> bool {
    let Some((head, _)) = bytes.split_at_checked(FIXED) else { return false };
    head[0] == VERSION && walk_body(bytes, body_at(head[1])).is_some()
}

fn walk_body(bytes: &[u8], body_at: usize) -> Option<()> {
    let mut reader = Reader::new(bytes.get(body_at..)?);
    walk_head(&mut reader)?;
    if attributes_at(bytes)? != bytes.len() - reader.rest().len() {
        return None;
    }
    walk_attributes(&mut reader, 0, true)?;
    reader.is_empty().then_some(())
}

/// Id, types and scopes.
pub(super) fn walk_head(reader: &mut Reader<'_>) -> Option<()> {
    crate::EntityId::new(reader.str()?).ok()?;
    for _ in 0..reader.len()? {
        reader.u32()?;
    }
    for _ in 0..reader.len()? {
        reader.str()?;
    }
    Some(())
}

/// Attributes of an entity, or of an attribute of it.
pub(super) fn walk_attributes(
    reader: &mut Reader<'_>,
    depth: usize,
    are_of_entity: bool,
) -> Option<()> {
    if depth > crate::MAX_JSON_DEPTH {
        return None;
    }
    for _ in 0..reader.len()? {
        reader.u32()?;
        let mut body = Reader::new(reader.bytes()?);
        for _ in 0..body.len()? {
            walk_instance(body.bytes()?, depth, are_of_entity)?;
        }
        body.is_empty().then_some(())?;
    }
    Some(())
}

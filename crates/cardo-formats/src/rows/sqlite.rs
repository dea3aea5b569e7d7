//! The bytes of an SQLite file from the first to the last, as its format says
//! (<https://www.sqlite.org/fileformat2.html>): where each page stands is planned before one is
//! written, so nothing has to be changed afterwards.

use std::io;

/// The size of pages.
pub(super) const PAGE: usize = 4_096;
/// What a page of rows has before its cells.
const LEAF_HEAD: usize = 8;
/// The largest payload that stands in a page of rows as a whole (section 1.6).
const MOST_LOCAL: usize = PAGE - 35;
/// How much of a larger one stands there at the least.
const LEAST_LOCAL: usize = (PAGE - 12) * 32 / 255 - 23;
/// What a page of overflow takes.
const OVERFLOW: usize = PAGE - 4;
/// The most children of an inner page; each takes at most 15 bytes.
const CHILDREN: usize = 256;
/// What stands before the first page's own content.
pub(super) const FILE_HEAD: usize = 100;

/// A value of a row.
#[derive(Clone, Copy, Debug)]
pub(super) enum Field<'a> {
    Null,
    Int(i64),
    /// A number that takes four bytes, whatever it is.
    Wide(u32),
    Real(f64),
    Text(&'a str),
    Blob(&'a [u8]),
}

/// Writes a row in the record format (section 2.1).
pub(super) fn record(fields: &[Field<'_>]) -> Vec<u8> {
    let (mut types, mut body) = (Vec::with_capacity(fields.len() + 1), Vec::with_capacity(128));
    for field in fields {
        match field {
            Field::Null => types.push(0),
            Field::Int(0) => types.push(8),
            Field::Int(1) => types.push(9),
            Field::Int(number) => {
                let bytes = number.to_be_bytes();
                let (kind, size) = match number {
                    -0x80..=0x7f => (1, 1),
                    -0x8000..=0x7fff => (2, 2),
                    -0x80_0000..=0x7f_ffff => (3, 3),
                    -0x8000_0000..=0x7fff_ffff => (4, 4),
                    -0x8000_0000_0000..=0x7fff_ffff_ffff => (5, 6),
                    _ => (6, 8),
                };
                types.push(kind);
                body.extend_from_slice(&bytes[8 - size..]);
            }
            Field::Wide(number) => {
                types.push(4);
                body.extend_from_slice(&number.to_be_bytes());
            }
            Field::Real(number) => {
                types.push(7);
                body.extend_from_slice(&number.to_be_bytes());
            }
            Field::Text(text) => {
                push_varint(text.len() as u64 * 2 + 13, &mut types);
                body.extend_from_slice(text.as_bytes());
            }
            Field::Blob(bytes) => {
                push_varint(bytes.len() as u64 * 2 + 12, &mut types);
                body.extend_from_slice(bytes);
            }
        }
    }
    // The size of the head counts itself.
    let mut size = types.len() + 1;
    if varint_len(size as u64) > 1 {
        size = types.len() + varint_len(size as u64 + 1);
    }
    let mut out = Vec::with_capacity(size + body.len());
    push_varint(size as u64, &mut out);
    out.append(&mut types);
    out.append(&mut body);
    out
}

fn varint_len(value: u64) -> usize {
    match value {
        0..=0x7f => 1,
        _ if value >= 1 << 56 => 9,
        _ => (64 - value.leading_zeros() as usize).div_ceil(7),
    }
}

/// Appends a number in groups of seven bits, the highest first; a ninth byte has all its eight.
fn push_varint(value: u64, out: &mut Vec<u8>) {
    let len = varint_len(value);
    if len == 9 {
        out.extend((0..8).rev().map(|at| low_byte(value >> (8 + 7 * at)) | 0x80));
        out.push(low_byte(value));
        return;
    }
    for at in (0..len).rev() {
        let more = if at > 0 { 0x80 } else { 0 };
        out.push((low_byte(value >> (7 * at)) & 0x7f) | more);
    }
}

fn low_byte(value: u64) -> u8 {
    value.to_le_bytes()[0]
}

fn page_offset(bytes: usize) -> [u8; 2] {
    u16::try_from(bytes).expect("a page has 4,096 bytes").to_be_bytes()
}

/// How a row stands in its page.
#[derive(Clone, Copy)]
struct Cell {
    /// How much of the payload stands in the page of the row.
    local: usize,
    /// The bytes that the cell takes there.
    size: usize,
    /// The pages that the rest takes.
    overflow: u32,
}

impl Cell {
    fn of(id: i64, payload: usize) -> Self {
        let head = varint_len(payload as u64) + varint_len(id.cast_unsigned());
        if payload <= MOST_LOCAL {
            return Self { local: payload, size: head + payload, overflow: 0 };
        }
        let fitting = LEAST_LOCAL + (payload - LEAST_LOCAL) % OVERFLOW;
        let local = if fitting <= MOST_LOCAL { fitting } else { LEAST_LOCAL };
        let overflow = u32::try_from((payload - local).div_ceil(OVERFLOW)).unwrap_or(u32::MAX);
        Self { local, size: head + local + 4, overflow }
    }
}

/// A page of rows to come.
#[derive(Clone, Copy, Debug)]
struct Leaf {
    /// The last id in it.
    last: i64,
    /// The pages that it takes with those its rows overflow into.
    pages: u32,
}

/// Where the rows of a table stand. The pages of a table follow one another: the root, the inner pages
/// from the root down, then each page of rows with what overflows from it.
#[derive(Debug)]
pub(super) struct Plan {
    leaves: Vec<Leaf>,
    free: usize,
    /// What the file has before the root, where that is the first page.
    before: usize,
}

impl Plan {
    pub(super) fn new() -> Self {
        Self { leaves: Vec::new(), free: 0, before: 0 }
    }

    /// A table of which the root is the first page of the file.
    pub(super) fn first() -> Self {
        Self { before: FILE_HEAD, ..Self::new() }
    }

    /// Plans a row. Rows come by their ids.
    pub(super) fn add(&mut self, id: i64, payload: usize) {
        let cell = Cell::of(id, payload);
        match self.leaves.last_mut() {
            Some(leaf) if cell.size + 2 <= self.free => {
                leaf.last = id;
                leaf.pages += cell.overflow;
                self.free -= cell.size + 2;
            }
            _ => {
                self.leaves.push(Leaf { last: id, pages: 1 + cell.overflow });
                self.free = PAGE - LEAF_HEAD - cell.size - 2;
            }
        }
    }

    /// Whether all rows stand in the root.
    fn is_flat(&self) -> bool {
        self.leaves.len() <= 1 && (self.leaves.is_empty() || self.free >= self.before)
    }

    /// How many nodes there are on each level of inner pages below the root, and of rows.
    fn levels(&self) -> Vec<usize> {
        if self.is_flat() {
            return Vec::new();
        }
        let mut levels = vec![self.leaves.len()];
        while let Some(&lowest) = levels.last()
            && lowest > CHILDREN
        {
            levels.push(lowest.div_ceil(CHILDREN));
        }
        levels.reverse();
        levels
    }

    /// How many pages the table takes.
    pub(super) fn pages(&self) -> u32 {
        let rows: u32 = self.leaves.iter().map(|leaf| leaf.pages).sum();
        if self.is_flat() {
            return rows.max(1);
        }
        let levels = self.levels();
        let inner: usize = levels[..levels.len() - 1].iter().sum();
        1 + u32::try_from(inner).unwrap_or(u32::MAX) + rows
    }

    /// Writes the inner pages of a table of which `root` is the first page, and gives what writes
    /// the rows.
    pub(super) fn begin(&self, root: u32, file_head: &[u8], out: &mut Vec<u8>) -> Rows {
        if self.is_flat() {
            return Rows::new(root, file_head);
        }
        let levels = self.levels();
        // Where each level begins.
        let mut starts = vec![root];
        let mut next = root + 1;
        for count in &levels {
            starts.push(next);
            next += u32::try_from(*count).unwrap_or(u32::MAX);
        }
        let rows_at = starts[levels.len()];
        let mut places = Vec::with_capacity(self.leaves.len());
        let mut place = rows_at;
        for leaf in &self.leaves {
            places.push(place);
            place += leaf.pages;
        }
        let lowest = levels.len() - 1;
        for (level, below) in levels.iter().enumerate() {
            let nodes = if level == 0 { 1 } else { levels[level - 1] };
            for node in 0..nodes {
                let children = node * below / nodes..(node + 1) * below / nodes;
                let page_of = |child: usize| {
                    if level == lowest {
                        places[child]
                    } else {
                        starts[level + 1] + u32::try_from(child).unwrap_or(u32::MAX)
                    }
                };
                let children =
                    children.map(|child| (page_of(child), self.last(&levels, level, child)));
                let head = if level == 0 { file_head } else { &[] };
                inner_page(head, &children.collect::<Vec<_>>(), out);
            }
        }
        Rows::new(rows_at, &[])
    }

    /// The last id below a node of the level behind `level`.
    fn last(&self, levels: &[usize], level: usize, node: usize) -> i64 {
        let mut node = node;
        for pair in levels[level..].windows(2) {
            node = (node + 1) * pair[1] / pair[0] - 1;
        }
        self.leaves[node].last
    }
}

/// A page with the places of others and the last id below each.
fn inner_page(head: &[u8], children: &[(u32, i64)], out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(head);
    let cells = children.len() - 1;
    let mut page = vec![0; PAGE - head.len()];
    let mut end = page.len();
    page[0] = 0x05;
    for (at, (child, last)) in children[..cells].iter().enumerate() {
        let mut cell = child.to_be_bytes().to_vec();
        push_varint(last.cast_unsigned(), &mut cell);
        end -= cell.len();
        page[end..end + cell.len()].copy_from_slice(&cell);
        page[12 + 2 * at..14 + 2 * at].copy_from_slice(&page_offset(end + head.len()));
    }
    page[3..5].copy_from_slice(&page_offset(cells));
    page[5..7].copy_from_slice(&page_offset(end + head.len()));
    page[8..12].copy_from_slice(&children[cells].0.to_be_bytes());
    out.append(&mut page);
    debug_assert_eq!(out.len() - start, PAGE, "a page is whole");
}

/// Writes the rows of a planned table, one page after the other.
#[derive(Debug)]
pub(super) struct Rows {
    /// The page in the making, and where it stands.
    page: Vec<u8>,
    number: u32,
    /// What stands before its content.
    before: usize,
    cells: usize,
    /// Where its lowest cell begins.
    end: usize,
    overflow: Vec<u8>,
}

impl Rows {
    fn new(number: u32, file_head: &[u8]) -> Self {
        let mut page = vec![0; PAGE];
        page[..file_head.len()].copy_from_slice(file_head);
        let before = file_head.len();
        Self { page, number, before, cells: 0, end: PAGE, overflow: Vec::new() }
    }

    /// Adds a row; pages that are full go to `out`.
    pub(super) fn add(&mut self, id: i64, payload: &[u8], out: &mut Vec<u8>) {
        let cell = Cell::of(id, payload.len());
        let pointers = self.before + LEAF_HEAD + 2 * self.cells;
        if self.cells > 0 && pointers + 2 + cell.size > self.end {
            self.end_page(out);
        }
        let mut bytes = Vec::with_capacity(cell.size);
        push_varint(payload.len() as u64, &mut bytes);
        push_varint(id.cast_unsigned(), &mut bytes);
        bytes.extend_from_slice(&payload[..cell.local]);
        if cell.overflow > 0 {
            let used = u32::try_from(self.overflow.len() / PAGE).unwrap_or(u32::MAX);
            let mut next = self.number + 1 + used;
            bytes.extend_from_slice(&next.to_be_bytes());
            let mut parts = payload[cell.local..].chunks(OVERFLOW).peekable();
            while let Some(part) = parts.next() {
                next += 1;
                let link = if parts.peek().is_some() { next } else { 0 };
                self.overflow.extend_from_slice(&link.to_be_bytes());
                self.overflow.extend_from_slice(part);
                self.overflow.resize(self.overflow.len().next_multiple_of(PAGE), 0);
            }
        }
        self.end -= bytes.len();
        self.page[self.end..self.end + bytes.len()].copy_from_slice(&bytes);
        let at = self.before + LEAF_HEAD + 2 * self.cells;
        self.page[at..at + 2].copy_from_slice(&page_offset(self.end));
        self.cells += 1;
    }

    /// Ends the table.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>) {
        self.end_page(out);
    }

    fn end_page(&mut self, out: &mut Vec<u8>) {
        let head = self.before;
        self.page[head] = 0x0d;
        self.page[head + 3..head + 5].copy_from_slice(&page_offset(self.cells));
        self.page[head + 5..head + 7].copy_from_slice(&page_offset(self.end));
        out.extend_from_slice(&self.page);
        let used = u32::try_from(self.overflow.len() / PAGE).unwrap_or(u32::MAX);
        out.append(&mut self.overflow);
        self.number += 1 + used;
        self.page.fill(0);
        (self.before, self.cells, self.end) = (0, 0, PAGE);
    }
}

/// A page with the few keys of a small index, each as a record that ends in the id of its row.
pub(super) fn index_page(mut keys: Vec<Vec<u8>>, out: &mut Vec<u8>) -> io::Result<()> {
    const MOST: usize = (PAGE - 12) * 64 / 255 - 23;
    // Records of texts of one schema sort as their bodies do where their heads are equal; there is
    // at most one key here.
    debug_assert!(keys.len() <= 1, "more keys would have to be sorted as SQLite does");
    let mut page = vec![0; PAGE];
    page[0] = 0x0a;
    let mut end = PAGE;
    if let Some(key) = keys.pop() {
        if key.len() > MOST {
            return Err(io::Error::other("the name of a table is too long for a GeoPackage"));
        }
        let mut cell = Vec::with_capacity(key.len() + 2);
        push_varint(key.len() as u64, &mut cell);
        cell.extend_from_slice(&key);
        end -= cell.len();
        page[end..].copy_from_slice(&cell);
        page[8..10].copy_from_slice(&page_offset(end));
        page[3..5].copy_from_slice(&page_offset(1));
    }
    page[5..7].copy_from_slice(&page_offset(end));
    out.append(&mut page);
    Ok(())
}

/// The first hundred bytes of a file of so many pages (section 1.3).
pub(super) fn file_head(pages: u32, user_version: u32, application: [u8; 4]) -> Vec<u8> {
    let mut head = b"SQLite format 3\0".to_vec();
    head.extend_from_slice(&page_offset(PAGE));
    head.extend_from_slice(&[1, 1, 0, 64, 32, 32]);
    let cookie = 1_u32;
    let (format, utf8, no) = (4_u32, 1_u32, 0_u32);
    // Changes, pages, free pages (first and number), schema cookie and format, cache, largest root,
    // encoding.
    for number in [cookie, pages, no, no, cookie, format, no, no, utf8, user_version, no] {
        head.extend_from_slice(&number.to_be_bytes());
    }
    head.extend_from_slice(&application);
    head.extend_from_slice(&[0; 20]);
    head.extend_from_slice(&cookie.to_be_bytes());
    head.extend_from_slice(&3_040_001_u32.to_be_bytes());
    head
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_any_size_take_one_to_nine_bytes() {
        for (value, bytes) in [
            (0, vec![0]),
            (0x7f, vec![0x7f]),
            (0x80, vec![0x81, 0]),
            (0x3fff, vec![0xff, 0x7f]),
            (0x4000, vec![0x81, 0x80, 0]),
            (u64::MAX, vec![0xff; 9]),
            (1 << 56, vec![0x80, 0xc0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0]),
        ] {
            let mut out = Vec::new();
            push_varint(value, &mut out);
            assert_eq!(out, bytes, "{value}");
            assert_eq!(varint_len(value), bytes.len(), "{value}");
        }
    }
}

use std::borrow::Cow;

use cardo_model::MAX_JSON_DEPTH;

/// Canonical JSON text with the places of its parts, in the order they stand.
///
/// Members and items are reached by jumping over what lies between, so that an object can be
/// looked at as a whole before it is written.
pub(super) struct Tree<'a> {
    text: &'a str,
    nodes: Vec<Node>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Scalar,
    String,
    Array,
    Object,
}

struct Node {
    kind: Kind,
    start: u32,
    end: u32,
    /// The node behind this one and all that is in it.
    next: u32,
}

impl<'a> Tree<'a> {
    /// Finds the parts of canonical JSON; none where the text is something else.
    pub(super) fn read(text: &'a str) -> Option<Self> {
        u32::try_from(text.len()).ok()?;
        let nodes = Vec::with_capacity(text.len() / 16);
        let mut reader = Reader { bytes: text.as_bytes(), at: 0, nodes };
        reader.value(0)?;
        (reader.at == text.len()).then_some(Self { text, nodes: reader.nodes })
    }

    pub(super) fn kind(&self, at: usize) -> Kind {
        self.nodes[at].kind
    }

    /// The text of a part as it stands.
    pub(super) fn text(&self, at: usize) -> &'a str {
        let node = &self.nodes[at];
        &self.text[node.start as usize..node.end as usize]
    }

    /// What a string says.
    pub(super) fn string(&self, at: usize) -> Cow<'a, str> {
        let text = self.text(at);
        if text.contains('\\') {
            serde_json::from_str::<String>(text).map_or(Cow::Borrowed(text), Cow::Owned)
        } else {
            Cow::Borrowed(&text[1..text.len() - 1])
        }
    }

    /// The items of an array.
    pub(super) fn items(&self, array: usize) -> impl Iterator<Item = usize> {
        let (mut at, end) = (array + 1, self.behind(array));
        std::iter::from_fn(move || {
            let item = (at < end).then_some(at)?;
            at = self.behind(item);
            Some(item)
        })
    }

    /// The keys and values of an object.
    pub(super) fn members(&self, object: usize) -> impl Iterator<Item = (usize, usize)> {
        let mut parts = self.items(object);
        std::iter::from_fn(move || Some((parts.next()?, parts.next()?)))
    }

    fn behind(&self, at: usize) -> usize {
        self.nodes[at].next as usize
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    nodes: Vec<Node>,
}

impl Reader<'_> {
    fn value(&mut self, depth: usize) -> Option<()> {
        match self.bytes.get(self.at)? {
            b'"' => self.string(),
            b'[' if depth < MAX_JSON_DEPTH => self.nested(Kind::Array, depth),
            b'{' if depth < MAX_JSON_DEPTH => self.nested(Kind::Object, depth),
            b'-' | b'0'..=b'9' | b'a'..=b'z' => self.scalar(),
            _ => None,
        }
    }

    fn nested(&mut self, kind: Kind, depth: usize) -> Option<()> {
        let close = if kind == Kind::Array { b']' } else { b'}' };
        let node = self.open(kind)?;
        self.at += 1;
        if self.bytes.get(self.at) == Some(&close) {
            self.at += 1;
            return self.close(node);
        }
        loop {
            if kind == Kind::Object {
                (self.bytes.get(self.at)? == &b'"').then_some(())?;
                self.string()?;
                self.expect(b':')?;
            }
            self.value(depth + 1)?;
            match self.bytes.get(self.at)? {
                b',' => self.at += 1,
                byte if *byte == close => break,
                _ => return None,
            }
        }
        self.at += 1;
        self.close(node)
    }

    fn string(&mut self) -> Option<()> {
        let node = self.open(Kind::String)?;
        self.at += 1;
        loop {
            match self.bytes.get(self.at)? {
                b'"' => break,
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        self.close(node)
    }

    fn scalar(&mut self) -> Option<()> {
        let node = self.open(Kind::Scalar)?;
        let is_part = |byte: &&u8| !matches!(byte, b',' | b']' | b'}' | b':' | b'"' | b'{' | b'[');
        self.at += self.bytes[self.at..].iter().take_while(is_part).count();
        self.close(node)
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        (*self.bytes.get(self.at)? == byte).then_some(())?;
        self.at += 1;
        Some(())
    }

    fn open(&mut self, kind: Kind) -> Option<usize> {
        let start = u32::try_from(self.at).ok()?;
        self.nodes.push(Node { kind, start, end: start, next: 0 });
        Some(self.nodes.len() - 1)
    }

    fn close(&mut self, node: usize) -> Option<()> {
        let (end, next) = (u32::try_from(self.at).ok()?, u32::try_from(self.nodes.len()).ok()?);
        self.nodes[node].end = end;
        self.nodes[node].next = next;
        Some(())
    }
}

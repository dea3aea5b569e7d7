use super::boolean::{self, Terms};
use super::cursor::Cursor;
use super::{NameResolver, QError};
use crate::Filter;

/// Reads a selection of entity types (clause 4.17), such as `(Home;Vehicle)|Motorhome`.
///
/// `*` selects all (Table 6.4.3.2-1). Beyond the clause, parentheses may stand around any part.
/// Since `,`, `;`, `|`, `(` and `)` divide the text, a type given by a URI may not hold them.
pub fn parse_type_selection(text: &str, names: &impl NameResolver) -> Result<Filter, QError> {
    if text.trim() == "*" {
        return Ok(Filter::True);
    }
    boolean::parse(text, &Types { names })
}

struct Types<'a, R> {
    names: &'a R,
}

impl<R: NameResolver> Terms for Types<'_, R> {
    const OR: &'static [char] = &['|', ','];
    const EXPECTED: &'static str = "an entity type";

    fn term(&self, cursor: &mut Cursor<'_>) -> Result<Filter, QError> {
        let at = cursor.at();
        let term = cursor.take_while(|c| {
            !c.is_whitespace() && !matches!(c, ',' | ';' | '|' | '(' | ')' | '"' | '<' | '>' | '*')
        });
        if term.is_empty() {
            return Err(cursor.expected(Self::EXPECTED));
        }
        let name = self.names.type_name(term);
        name.map(Filter::Type)
            .map_err(|source| QError::Name { position: cursor.position(at), source })
    }
}

//! Filters of topics (4.7) with names for some of their levels.

use std::fmt;
use std::sync::Arc;

/// A filter such as `city/{district}/+/temperature`, where a level in braces has a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TopicPattern {
    levels: Vec<Level>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Level {
    Text(String),
    /// Any one level; with a name it becomes a field.
    One(Option<Arc<str>>),
    /// All that follows.
    Rest,
}

/// A text that is no filter of topics.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{topic:?} is no filter of topics: {reason}")]
pub(crate) struct InvalidTopic {
    topic: String,
    reason: &'static str,
}

impl TopicPattern {
    pub(crate) fn parse(topic: &str) -> Result<Self, InvalidTopic> {
        let invalid = |reason| InvalidTopic { topic: topic.to_owned(), reason };
        if topic.is_empty() || topic.len() > 4_096 || topic.contains('\0') {
            return Err(invalid("it is empty, too long or holds a zero"));
        }
        let mut levels: Vec<Level> = Vec::new();
        for level in topic.split('/') {
            if levels.last() == Some(&Level::Rest) {
                return Err(invalid("`#` stands at the end only"));
            }
            let name = level.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
            levels.push(match (level, name) {
                ("#", _) => Level::Rest,
                ("+", _) => Level::One(None),
                (_, Some(name)) if !name.is_empty() && !name.contains(['{', '}', '+', '#']) => {
                    Level::One(Some(name.into()))
                }
                _ if level.contains(['+', '#', '{', '}']) => {
                    return Err(invalid("`+`, `#` and `{name}` each fill a whole level"));
                }
                _ => Level::Text(level.to_owned()),
            });
        }
        Ok(Self { levels })
    }

    /// The named levels of a topic; `None` where the topic does not match.
    pub(crate) fn fields(&self, topic: &str) -> Option<Vec<(Arc<str>, String)>> {
        let mut fields = Vec::new();
        let mut given = topic.split('/');
        for level in &self.levels {
            match level {
                Level::Rest => return Some(fields),
                Level::One(name) => {
                    let given = given.next()?;
                    fields.extend(name.as_ref().map(|name| (Arc::clone(name), given.to_owned())));
                }
                Level::Text(text) if given.next()? == text => {}
                Level::Text(_) => return None,
            }
        }
        given.next().is_none().then_some(fields)
    }
}

/// As a broker wants it.
impl fmt::Display for TopicPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, level) in self.levels.iter().enumerate() {
            if place > 0 {
                f.write_str("/")?;
            }
            f.write_str(match level {
                Level::Text(text) => text,
                Level::One(_) => "+",
                Level::Rest => "#",
            })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_levels_become_fields() {
        let pattern = TopicPattern::parse("city/{district}/+/{sensor}/#").unwrap();
        assert_eq!(pattern.to_string(), "city/+/+/+/#");
        let fields = pattern.fields("city/kallio/x/s1/temperature/air").unwrap();
        let fields: Vec<_> = fields.iter().map(|(n, v)| (&**n, v.as_str())).collect();
        assert_eq!(fields, [("district", "kallio"), ("sensor", "s1")]);
        assert!(pattern.fields("city/kallio/x/s1").is_some(), "`#` holds the level above it");
        assert!(pattern.fields("town/kallio/x/s1/t").is_none());
        assert!(TopicPattern::parse("a/{b}").unwrap().fields("a/1/2").is_none());
    }

    #[test]
    fn empty_levels_are_levels() {
        let pattern = TopicPattern::parse("/hfp/v2/{kind}/").unwrap();
        assert_eq!(pattern.fields("/hfp/v2/tram/").unwrap()[0].1, "tram");
        assert!(pattern.fields("hfp/v2/tram").is_none());
    }

    #[test]
    fn wildcards_fill_a_level() {
        for topic in ["", "a+/b", "#/a", "a/#b", "{}", "{a}b", "{a/b}", "a\0"] {
            assert!(TopicPattern::parse(topic).is_err(), "{topic:?}");
        }
    }
}

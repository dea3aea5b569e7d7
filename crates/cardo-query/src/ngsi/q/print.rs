use std::fmt::Write as _;

use super::super::NamePrinter;
use crate::{
    Comparison, Datasets, Filter, Key, Literal, Member, Operand, Operator, Path, Pattern, Root,
};

/// Writes a filter in the language of clause 4.9, so that reading it again gives the same filter;
/// `None` where the language cannot say it, or a name has no term.
pub fn print(filter: &Filter, names: &impl NamePrinter) -> Option<String> {
    let mut out = String::new();
    Printer { out: &mut out, names }.filter(filter, Level::Whole)?;
    Some(out)
}

/// What stands around a part.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
enum Level {
    Whole,
    Disjunction,
    Conjunction,
}

struct Printer<'a, P> {
    out: &'a mut String,
    names: &'a P,
}

impl<P: NamePrinter> Printer<'_, P> {
    fn filter(&mut self, filter: &Filter, around: Level) -> Option<()> {
        match filter {
            Filter::And(parts) => self.joined(parts, Level::Conjunction, around),
            Filter::Or(parts) => self.joined(parts, Level::Disjunction, around),
            Filter::Not(part) => self.negation(part),
            Filter::Ids(ids) if !ids.is_empty() => {
                self.out.push_str("id==");
                for (at, id) in ids.iter().enumerate() {
                    self.comma(at);
                    self.text(id.as_str());
                }
                Some(())
            }
            Filter::IdPattern(pattern) => {
                self.out.push_str("id~=");
                self.pattern(pattern);
                Some(())
            }
            Filter::Type(name) => {
                self.out.push_str("type==");
                let term = self.names.type_term(name)?;
                self.text(&term);
                Some(())
            }
            Filter::HasAttribute(name) => {
                self.out.push_str(&self.names.attribute_term(name)?);
                Some(())
            }
            Filter::Exists(path) => self.path(path),
            Filter::Compare(comparison) => self.comparison(comparison),
            Filter::True
            | Filter::False
            | Filter::Ids(_)
            | Filter::Scope(_)
            | Filter::Geo(_)
            | Filter::Height(_)
            | Filter::Time(_)
            | Filter::Link(_)
            | Filter::Holds(_) => None,
        }
    }

    fn joined(&mut self, parts: &[Filter], level: Level, around: Level) -> Option<()> {
        if parts.len() < 2 {
            return None;
        }
        let needs_parentheses = around > level;
        if needs_parentheses {
            self.out.push('(');
        }
        for (at, part) in parts.iter().enumerate() {
            if at > 0 {
                self.out.push(if level == Level::Conjunction { ';' } else { '|' });
            }
            self.filter(part, level)?;
        }
        if needs_parentheses {
            self.out.push(')');
        }
        Some(())
    }

    fn negation(&mut self, part: &Filter) -> Option<()> {
        match part {
            Filter::HasAttribute(_) | Filter::Exists(_) => {
                self.out.push('!');
                self.filter(part, Level::Conjunction)
            }
            Filter::Type(name) => {
                self.out.push_str("type!=");
                let term = self.names.type_term(name)?;
                self.text(&term);
                Some(())
            }
            _ => None,
        }
    }

    fn comparison(&mut self, comparison: &Comparison) -> Option<()> {
        if comparison.path.root == Root::Type || comparison.path.member == Member::ObjectType {
            return None;
        }
        self.path(&comparison.path)?;
        self.out.push_str(match comparison.operator {
            Operator::Equal => "==",
            Operator::Unequal => "!=",
            Operator::Greater => ">",
            Operator::GreaterOrEqual => ">=",
            Operator::Less => "<",
            Operator::LessOrEqual => "<=",
            Operator::Matches => "~=",
            Operator::MatchesNot => "!~=",
        });
        match &comparison.operand {
            Operand::One(literal) => self.literal(literal),
            Operand::List(literals) => {
                for (at, literal) in literals.iter().enumerate() {
                    self.comma(at);
                    self.literal(literal);
                }
            }
            Operand::Range(least, greatest) => {
                self.literal(least);
                self.out.push_str("..");
                self.literal(greatest);
            }
            Operand::Pattern(pattern) => self.pattern(pattern),
        }
        Some(())
    }

    fn path(&mut self, path: &Path) -> Option<()> {
        if path.datasets != Datasets::Any {
            return None;
        }
        match &path.root {
            Root::Attribute(name) => self.out.push_str(&self.names.attribute_term(name)?),
            Root::Id => self.out.push_str("id"),
            Root::Type => self.out.push_str("type"),
            Root::Scope => self.out.push_str("scope"),
            Root::CreatedAt => self.out.push_str("createdAt"),
            Root::ModifiedAt => self.out.push_str("modifiedAt"),
            Root::ExpiresAt => self.out.push_str("expiresAt"),
        }
        for name in &path.attributes {
            self.out.push('.');
            self.out.push_str(&self.names.attribute_term(name)?);
        }
        if let Some(member) = member_name(path.member) {
            self.out.push('.');
            self.out.push_str(member);
        }
        self.keys(&path.keys);
        Some(())
    }

    fn keys(&mut self, keys: &[Key]) {
        for (at, key) in keys.iter().enumerate() {
            self.out.push(if at == 0 { '[' } else { '.' });
            match key {
                Key::AnyLanguage => self.out.push('*'),
                Key::Member { term, .. } => self.out.push_str(term),
            }
        }
        if !keys.is_empty() {
            self.out.push(']');
        }
    }

    fn literal(&mut self, literal: &Literal) {
        match literal {
            Literal::Number(number) => self.number(*number),
            Literal::Text(text) => self.text(text),
            Literal::Bool(truth) => self.display(truth),
            Literal::DateTime(moment) => self.display(moment),
            Literal::Date(text) | Literal::Time(text) => self.out.push_str(text),
        }
    }

    fn number(&mut self, number: f64) {
        match serde_json::Number::from_f64(number) {
            Some(number) => self.display(&number),
            // No JSON says infinity; the largest number compares alike with all that a twin holds.
            None => self.display(&number.clamp(f64::MIN, f64::MAX)),
        }
    }

    fn text(&mut self, text: &str) {
        let quoted = serde_json::to_string(text).expect("a text is always JSON");
        self.out.push_str(&quoted);
    }

    fn pattern(&mut self, pattern: &Pattern) {
        self.out.push('"');
        let mut is_escaped = false;
        for character in pattern.as_str().chars() {
            if character == '"' && !is_escaped {
                self.out.push('\\');
            }
            is_escaped = character == '\\' && !is_escaped;
            self.out.push(character);
        }
        self.out.push('"');
    }

    fn comma(&mut self, at: usize) {
        if at > 0 {
            self.out.push(',');
        }
    }

    fn display(&mut self, value: &impl std::fmt::Display) {
        write!(self.out, "{value}").expect("a string takes any text");
    }
}

fn member_name(member: Member) -> Option<&'static str> {
    Some(match member {
        Member::Value => return None,
        Member::ObservedAt => "observedAt",
        Member::CreatedAt => "createdAt",
        Member::ModifiedAt => "modifiedAt",
        Member::ExpiresAt => "expiresAt",
        Member::UnitCode => "unitCode",
        Member::DatasetId => "datasetId",
        Member::ObjectType => "objectType",
    })
}

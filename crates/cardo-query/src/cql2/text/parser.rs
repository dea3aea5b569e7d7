//! Tokens to an expression: a function for each rule of the grammar.

use super::is_reserved;
use super::lexer::{Placed, Token, tokens};
use crate::cql2::error::shorten;
use crate::cql2::reading::{check_arity, date, instant, timestamp};
use crate::cql2::{
    Cql2Error, Expression, Kind, MAX_FILTER_BYTES, MAX_FILTER_NESTING, MAX_FILTER_TERMS, Operation,
    Place,
};
use crate::predicate::Function;

type Parsed = Result<Expression, Cql2Error>;

/// Reads a filter in CQL2 text.
pub fn parse_text(text: &str) -> Parsed {
    if text.len() > MAX_FILTER_BYTES {
        return Err(Cql2Error::TooLong(text.len()));
    }
    let mut parser =
        Parser { tokens: tokens(text)?, next: 0, terms: 0, depth: 0, may_be_array: false };
    let filter = parser.expression()?;
    match parser.peek() {
        Token::End => Ok(filter),
        _ => Err(parser.expected("AND, OR or the end")),
    }
}

pub(super) struct Parser {
    tokens: Vec<Placed>,
    next: usize,
    terms: usize,
    depth: usize,
    /// Whether a parenthesis that comes next may open an array.
    may_be_array: bool,
}

impl Parser {
    pub(super) fn peek(&self) -> &Token {
        &self.tokens[self.next].token
    }

    fn at(&self) -> usize {
        self.tokens[self.next].at
    }

    pub(super) fn place(&self) -> Place {
        Place::Character(self.at())
    }

    fn take(&mut self) -> Token {
        let token = self.peek().clone();
        self.next = (self.next + 1).min(self.tokens.len() - 1);
        token
    }

    pub(super) fn eat(&mut self, sign: &str) -> bool {
        let is_next = matches!(self.peek(), Token::Sign(next) if *next == sign);
        if is_next {
            self.take();
        }
        is_next
    }

    pub(super) fn eat_word(&mut self, word: &str) -> bool {
        let is_next = self.is_word(0, word);
        if is_next {
            self.take();
        }
        is_next
    }

    fn is_word(&self, ahead: usize, word: &str) -> bool {
        let placed = self.tokens.get(self.next + ahead);
        matches!(placed.map(|p| &p.token), Some(Token::Name(name)) if name.eq_ignore_ascii_case(word))
    }

    pub(super) fn skip(&mut self) {
        self.take();
    }

    /// Whether the word that comes next is followed by the mark of a third axis, and coordinates.
    pub(super) fn is_third_axis(&self) -> bool {
        let behind = self.tokens.get(self.next + 2).map(|placed| &placed.token);
        self.is_word(1, "z") && matches!(behind, Some(Token::Sign("(")))
    }

    pub(super) fn need(&mut self, sign: &str, expected: &'static str) -> Result<(), Cql2Error> {
        if self.eat(sign) { Ok(()) } else { Err(self.expected(expected)) }
    }

    pub(super) fn expected(&self, expected: &'static str) -> Cql2Error {
        let found = match self.peek() {
            Token::End => "the end".to_owned(),
            Token::Name(text) | Token::Quoted(text) => format!("{:?}", shorten(text)),
            Token::Text(text) => format!("the text {:?}", shorten(text)),
            Token::Number(number) => format!("the number {number}"),
            Token::Sign(sign) => format!("{sign:?}"),
        };
        Cql2Error::Syntax { place: self.place(), expected, found }
    }

    fn node(&mut self, place: Place, kind: Kind) -> Parsed {
        self.terms += 1;
        if self.terms > MAX_FILTER_TERMS {
            return Err(Cql2Error::TooManyTerms(place));
        }
        Ok(Expression::new(place, kind))
    }

    fn call(&mut self, place: Place, operation: Operation, arguments: Vec<Expression>) -> Parsed {
        self.node(place, Kind::Call(operation, arguments))
    }

    /// Rule `booleanExpression`; whatever stands for a value is one too, and told apart later.
    fn expression(&mut self) -> Parsed {
        self.depth += 1;
        if self.depth > MAX_FILTER_NESTING {
            return Err(Cql2Error::TooDeep(self.place()));
        }
        let filter =
            self.joined("or", Operation::Or, |me| me.joined("and", Operation::And, Self::factor));
        self.depth -= 1;
        filter
    }

    fn joined(
        &mut self,
        word: &str,
        operation: Operation,
        part: impl Fn(&mut Self) -> Parsed,
    ) -> Parsed {
        let place = self.place();
        let mut parts = vec![part(self)?];
        while self.eat_word(word) {
            parts.push(part(self)?);
        }
        if parts.len() == 1 {
            return Ok(parts.swap_remove(0));
        }
        self.call(place, operation, parts)
    }

    /// Rule `booleanFactor`.
    fn factor(&mut self) -> Parsed {
        let place = self.place();
        if !self.eat_word("not") {
            return self.predicate();
        }
        self.may_be_array = false;
        let part = self.predicate()?;
        self.call(place, Operation::Not, vec![part])
    }

    /// Rule `comparisonPredicate`, or a value.
    fn predicate(&mut self) -> Parsed {
        let place = self.place();
        let left = self.sum()?;
        if let Token::Sign(sign) = self.peek()
            && let operation @ Operation::Compare(_) = Operation::of_json(sign)
        {
            self.take();
            let right = self.sum()?;
            return self.call(place, operation, vec![left, right]);
        }
        if self.eat_word("is") {
            let is_negated = self.eat_word("not");
            if !self.eat_word("null") {
                return Err(self.expected("NULL"));
            }
            let test = self.call(place.clone(), Operation::IsNull, vec![left])?;
            return self.negated_if(is_negated, place, test);
        }
        let is_negated = self.is_word(0, "not")
            && ["like", "between", "in"].into_iter().any(|word| self.is_word(1, word));
        if is_negated {
            self.take();
        }
        let (operation, arguments) = if self.eat_word("like") {
            (Operation::Like, vec![left, self.sum()?])
        } else if self.eat_word("between") {
            let least = self.sum()?;
            if !self.eat_word("and") {
                return Err(self.expected("AND and the upper bound"));
            }
            (Operation::Between, vec![left, least, self.sum()?])
        } else if self.eat_word("in") {
            (Operation::In, vec![left, self.list()?])
        } else {
            return Ok(left);
        };
        let test = self.call(place.clone(), operation, arguments)?;
        self.negated_if(is_negated, place, test)
    }

    fn negated_if(&mut self, is_negated: bool, place: Place, test: Expression) -> Parsed {
        if is_negated { self.call(place, Operation::Not, vec![test]) } else { Ok(test) }
    }

    /// Rule `inList`.
    fn list(&mut self) -> Parsed {
        let place = self.place();
        self.need("(", "'(' and a list")?;
        let mut items = vec![self.expression()?];
        while self.eat(",") {
            items.push(self.expression()?);
        }
        self.need(")", "',' or ')'")?;
        self.node(place, Kind::Array(items))
    }

    /// Rule `arithmeticExpression`.
    fn sum(&mut self) -> Parsed {
        self.chain(&[("+", Function::Add), ("-", Function::Subtract)], Self::product)
    }

    /// Rule `arithmeticTerm`.
    fn product(&mut self) -> Parsed {
        let operators = [
            ("*", Function::Multiply),
            ("/", Function::Divide),
            ("%", Function::Modulo),
            ("div", Function::IntegerDivide),
        ];
        self.chain(&operators, Self::power)
    }

    fn chain(
        &mut self,
        operators: &[(&'static str, Function)],
        part: fn(&mut Self) -> Parsed,
    ) -> Parsed {
        let place = self.place();
        let mut left = part(self)?;
        loop {
            let found = operators.iter().find(|(sign, _)| self.eat(sign) || self.eat_word(sign));
            let Some((_, function)) = found else { return Ok(left) };
            let right = part(self)?;
            let operation = Operation::Arithmetic(*function);
            left = self.call(place.clone(), operation, vec![left, right])?;
        }
    }

    /// Rule `powerTerm`: one `^` without parentheses.
    fn power(&mut self) -> Parsed {
        let place = self.place();
        let base = self.signed()?;
        if !self.eat("^") {
            return Ok(base);
        }
        let exponent = self.signed()?;
        let power = Operation::Arithmetic(Function::Power);
        self.call(place, power, vec![base, exponent])
    }

    /// Rule `arithmeticFactor`.
    fn signed(&mut self) -> Parsed {
        let place = self.place();
        if self.eat("+") {
            let Token::Number(number) = self.take() else {
                return Err(Cql2Error::Syntax {
                    place,
                    expected: "a number behind the sign",
                    found: "\"+\"".into(),
                });
            };
            return self.node(place, Kind::Number(number));
        }
        if !self.eat("-") {
            return self.operand();
        }
        self.may_be_array = false;
        if let Token::Number(number) = *self.peek() {
            self.take();
            return self.node(place, Kind::Number(-number));
        }
        let operand = self.operand()?;
        let minus_one = self.node(place.clone(), Kind::Number(-1.0))?;
        let times = Operation::Arithmetic(Function::Multiply);
        self.call(place, times, vec![minus_one, operand])
    }

    fn operand(&mut self) -> Parsed {
        let may_be_array = std::mem::take(&mut self.may_be_array);
        let place = self.place();
        match self.peek().clone() {
            Token::Sign("(") => self.group(may_be_array),
            Token::Text(text) => {
                self.take();
                self.node(place, Kind::Text(text))
            }
            Token::Number(number) => {
                self.take();
                self.node(place, Kind::Number(number))
            }
            Token::Quoted(name) => {
                self.take();
                self.node(place, Kind::Property(name))
            }
            Token::Name(name) => self.named(place, &name),
            Token::Sign(_) | Token::End => Err(self.expected("a value or a condition")),
        }
    }

    /// What stands in parentheses; where an array may stand, one that is empty, has a comma, or holds
    /// what cannot stand in parentheses otherwise is one.
    fn group(&mut self, may_be_array: bool) -> Parsed {
        let place = self.place();
        self.need("(", "'('")?;
        if may_be_array && self.eat(")") {
            return self.node(place, Kind::Array(Vec::new()));
        }
        self.may_be_array = may_be_array;
        let first = self.expression()?;
        let is_array = may_be_array
            && (matches!(self.peek(), Token::Sign(",")) || !may_be_grouped(&first.kind));
        if !is_array {
            self.need(")", "an operator or ')'")?;
            return Ok(first);
        }
        self.rest_of_array(place, first)
    }

    fn rest_of_array(&mut self, place: Place, first: Expression) -> Parsed {
        let mut items = vec![first];
        while self.eat(",") {
            self.may_be_array = true;
            items.push(self.expression()?);
        }
        self.need(")", "',' or ')'")?;
        self.node(place, Kind::Array(items))
    }

    /// An operand of an array function: what stands in parentheses is an array.
    fn array_operand(&mut self) -> Parsed {
        let place = self.place();
        if !self.eat("(") {
            return self.expression();
        }
        if self.eat(")") {
            return self.node(place, Kind::Array(Vec::new()));
        }
        self.may_be_array = true;
        let first = self.expression()?;
        self.rest_of_array(place, first)
    }

    /// What begins with a name.
    fn named(&mut self, place: Place, name: &str) -> Parsed {
        if let Some(value) = word_value(name) {
            self.take();
            return self.node(place, Kind::Bool(value));
        }
        let is_called = matches!(
            self.tokens.get(self.next + 1).map(|placed| &placed.token),
            Some(Token::Sign("("))
        );
        if let Some(geometry) = self.geometry(name, is_called)? {
            return self.node(place, geometry);
        }
        if is_called {
            self.take();
            self.take();
            return self.called(place, name);
        }
        if is_reserved(name) {
            return Err(Cql2Error::meaning(
                &place,
                format!("{name} is a reserved word; a property of this name is written \"{name}\""),
            ));
        }
        self.take();
        self.node(place, Kind::Property(name.into()))
    }

    /// What is written as a function; the parenthesis is open.
    fn called(&mut self, place: Place, name: &str) -> Parsed {
        match name.to_ascii_lowercase().as_str() {
            "date" => self.date(place),
            "timestamp" => self.timestamp(place),
            "interval" => self.interval(place),
            _ if Operation::of_call(name) == Operation::Function(name.into())
                && is_reserved(name) =>
            {
                Err(Cql2Error::meaning(&place, format!("{name} cannot stand here")))
            }
            _ => {
                let operation = Operation::of_call(name);
                let arguments = self.arguments(&operation)?;
                check_arity(&place, &operation, arguments.len())?;
                self.call(place, operation, arguments)
            }
        }
    }

    fn arguments(&mut self, operation: &Operation) -> Result<Vec<Expression>, Cql2Error> {
        let mut arguments = Vec::new();
        if self.eat(")") {
            return Ok(arguments);
        }
        loop {
            let argument = if let Operation::Array(_) = operation {
                self.array_operand()?
            } else {
                self.may_be_array = matches!(operation, Operation::Function(_));
                self.expression()?
            };
            arguments.push(argument);
            if self.eat(")") {
                return Ok(arguments);
            }
            self.need(",", "',' or ')'")?;
        }
    }

    fn text(&mut self, expected: &'static str) -> Result<Box<str>, Cql2Error> {
        match self.peek().clone() {
            Token::Text(text) => {
                self.take();
                Ok(text)
            }
            _ => Err(self.expected(expected)),
        }
    }

    fn date(&mut self, place: Place) -> Parsed {
        let (at, text) = (self.place(), self.text("a date such as '2026-01-31'")?);
        self.need(")", "')'")?;
        let kind = date(&at, &text)?;
        self.node(place, kind)
    }

    fn timestamp(&mut self, place: Place) -> Parsed {
        let at = self.place();
        let text = self.text("a timestamp such as '2026-01-31T12:00:00Z'")?;
        self.need(")", "')'")?;
        let kind = timestamp(&at, &text)?;
        self.node(place, kind)
    }

    fn interval(&mut self, place: Place) -> Parsed {
        let from = self.end_of_interval()?;
        self.need(",", "',' and the end of the interval")?;
        let until = self.end_of_interval()?;
        self.need(")", "')'")?;
        self.node(place, Kind::Interval(Box::new([from, until])))
    }

    fn end_of_interval(&mut self) -> Parsed {
        let place = self.place();
        match self.peek().clone() {
            Token::Text(text) => {
                self.take();
                let kind = instant(&place, &text)?;
                self.node(place, kind)
            }
            _ => self.sum(),
        }
    }
}

fn word_value(word: &str) -> Option<bool> {
    if word.eq_ignore_ascii_case("true") {
        return Some(true);
    }
    word.eq_ignore_ascii_case("false").then_some(false)
}

/// Whether an expression can stand in parentheses that open no array: conditions and what
/// arithmetic is made of.
fn may_be_grouped(kind: &Kind) -> bool {
    match kind {
        Kind::Call(operation, _) => !matches!(operation, Operation::CaseI | Operation::AccentI),
        Kind::Property(_) | Kind::Number(_) | Kind::Bool(_) => true,
        _ => false,
    }
}

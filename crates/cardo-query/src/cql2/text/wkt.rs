//! Geometries and boxes in text (rule `spatialInstance`).

use super::lexer::Token;
use super::parser::Parser;
use crate::cql2::geometry::{Literal, Position};
use crate::cql2::{Cql2Error, Kind};

impl Parser {
    /// A geometry, where the word that comes next begins one; `is_called` says that a parenthesis
    /// follows it.
    pub(super) fn geometry(
        &mut self,
        word: &str,
        is_called: bool,
    ) -> Result<Option<Kind>, Cql2Error> {
        let word = word.to_ascii_lowercase();
        let is_geometry = matches!(
            word.as_str(),
            "point"
                | "linestring"
                | "polygon"
                | "multipoint"
                | "multilinestring"
                | "multipolygon"
                | "geometrycollection"
        );
        if is_called && word == "bbox" {
            self.eat_word("bbox");
            return self.list_of(Self::number).map(|numbers| Some(Kind::Bbox(numbers)));
        }
        if !is_geometry || !(is_called || self.is_third_axis()) {
            return Ok(None);
        }
        self.literal().map(|literal| Some(Kind::Geometry(literal)))
    }

    fn literal(&mut self) -> Result<Literal, Cql2Error> {
        const EXPECTED: &str = "a geometry";
        let Token::Name(word) = self.peek().clone() else { return Err(self.expected(EXPECTED)) };
        let word = word.to_ascii_lowercase();
        let is = |name: &str| word == name;
        let begin = |me: &mut Self| {
            me.eat_word(&word);
            me.eat_word("z");
        };
        if is("point") {
            begin(self);
            return self.bracketed().map(Literal::Point);
        }
        if is("linestring") {
            begin(self);
            return self.list_of(Self::position).map(Literal::LineString);
        }
        if is("polygon") {
            begin(self);
            return self.rings().map(Literal::Polygon);
        }
        if is("multipoint") {
            begin(self);
            return self.list_of(Self::point).map(Literal::MultiPoint);
        }
        if is("multilinestring") {
            begin(self);
            return self.rings().map(Literal::MultiLineString);
        }
        if is("multipolygon") {
            begin(self);
            return self.list_of(Self::rings).map(Literal::MultiPolygon);
        }
        if is("geometrycollection") {
            begin(self);
            return self.list_of(Self::simple).map(Literal::GeometryCollection);
        }
        Err(self.expected(EXPECTED))
    }

    /// A member of a collection, which is none itself.
    fn simple(&mut self) -> Result<Literal, Cql2Error> {
        if matches!(self.peek(), Token::Name(word) if word.eq_ignore_ascii_case("geometrycollection"))
        {
            return Err(self.expected("a geometry that is no collection"));
        }
        self.literal()
    }

    fn list_of<T>(
        &mut self,
        item: fn(&mut Self) -> Result<T, Cql2Error>,
    ) -> Result<Vec<T>, Cql2Error> {
        self.need("(", "'('")?;
        let mut items = vec![item(self)?];
        while self.eat(",") {
            items.push(item(self)?);
        }
        self.need(")", "',' or ')'")?;
        Ok(items)
    }

    fn rings(&mut self) -> Result<Vec<Vec<Position>>, Cql2Error> {
        self.list_of(|me| me.list_of(Self::position))
    }

    fn bracketed(&mut self) -> Result<Position, Cql2Error> {
        self.need("(", "'('")?;
        let position = self.position()?;
        self.need(")", "')'")?;
        Ok(position)
    }

    /// A point of several, in parentheses or bare.
    fn point(&mut self) -> Result<Position, Cql2Error> {
        if matches!(self.peek(), Token::Sign("(")) { self.bracketed() } else { self.position() }
    }

    fn position(&mut self) -> Result<Position, Cql2Error> {
        let (x, y) = (self.number()?, self.number()?);
        let is_end = matches!(self.peek(), Token::Sign("," | ")"));
        let z = if is_end { None } else { Some(self.number()?) };
        Ok(Position { x, y, z })
    }

    fn number(&mut self) -> Result<f64, Cql2Error> {
        let sign = if self.eat("-") {
            -1.0
        } else {
            self.eat("+");
            1.0
        };
        let Token::Number(number) = *self.peek() else {
            return Err(self.expected("a number"));
        };
        self.skip();
        Ok(sign * number)
    }
}

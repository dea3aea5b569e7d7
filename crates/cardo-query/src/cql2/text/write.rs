//! An expression as CQL2 text.

use std::fmt::Write as _;

use super::is_reserved;
use super::lexer::{begins_name, continues_name};
use crate::cql2::geometry::{Literal, Position};
use crate::cql2::{Expression, Kind, Operation};

/// Writes an expression as CQL2 text, which reads as the same expression.
pub fn write_text(expression: &Expression) -> String {
    let mut out = String::new();
    write(expression, &mut out);
    out
}

fn write(expression: &Expression, out: &mut String) {
    match &expression.kind {
        Kind::Call(operation, arguments) => call(operation, arguments, out),
        Kind::Property(name) => property(name, out),
        Kind::Text(text) => quoted(text, out),
        Kind::Number(number) => write_number(*number, out),
        Kind::Bool(true) => out.push_str("TRUE"),
        Kind::Bool(false) => out.push_str("FALSE"),
        Kind::Date(date) => {
            let _ = write!(out, "DATE('{date}')");
        }
        Kind::Timestamp(moment) => {
            let _ = write!(out, "TIMESTAMP('{moment}')");
        }
        Kind::Interval(ends) => {
            out.push_str("INTERVAL(");
            end(&ends[0], out);
            out.push(',');
            end(&ends[1], out);
            out.push(')');
        }
        Kind::Open => out.push_str("'..'"),
        Kind::Geometry(literal) => geometry(literal, out),
        Kind::Bbox(numbers) => {
            out.push_str("BBOX");
            list(numbers, out, |number, out| write_number(*number, out));
        }
        Kind::Array(items) => list(items, out, write),
    }
}

fn end(expression: &Expression, out: &mut String) {
    match &expression.kind {
        Kind::Date(date) => {
            let _ = write!(out, "'{date}'");
        }
        Kind::Timestamp(moment) => {
            let _ = write!(out, "'{moment}'");
        }
        _ => write(expression, out),
    }
}

fn call(operation: &Operation, arguments: &[Expression], out: &mut String) {
    match (operation, arguments) {
        (Operation::And, parts) => joined(parts, " AND ", out),
        (Operation::Or, parts) => joined(parts, " OR ", out),
        (Operation::Not, [part]) => {
            out.push_str("NOT (");
            write(part, out);
            out.push(')');
        }
        (Operation::IsNull, [operand_]) => {
            operand(operand_, out);
            out.push_str(" IS NULL");
        }
        (Operation::Between, [value, least, greatest]) => {
            operand(value, out);
            out.push_str(" BETWEEN ");
            operand(least, out);
            out.push_str(" AND ");
            operand(greatest, out);
        }
        (
            Operation::In | Operation::Like | Operation::Compare(_) | Operation::Arithmetic(_),
            [left, right],
        ) => {
            operand(left, out);
            let name = operation.name().to_ascii_uppercase();
            let _ = write!(out, " {name} ");
            operand(right, out);
        }
        (_, arguments) => {
            out.push_str(&if operation.is_condition()
                || !matches!(operation, Operation::Function(_))
            {
                operation.name().to_ascii_uppercase()
            } else {
                operation.name().to_owned()
            });
            list(arguments, out, write);
        }
    }
}

fn joined(parts: &[Expression], between: &str, out: &mut String) {
    for (nth, part) in parts.iter().enumerate() {
        if nth > 0 {
            out.push_str(between);
        }
        let is_joined = matches!(&part.kind, Kind::Call(Operation::And | Operation::Or, _));
        if is_joined { parenthesized(part, out) } else { write(part, out) }
    }
}

/// An operand of a comparison or of arithmetic: what is neither a name nor a constant nor written
/// as a function stands in parentheses.
fn operand(expression: &Expression, out: &mut String) {
    let is_closed = !matches!(&expression.kind, Kind::Call(operation, _) if !operation.is_called());
    if is_closed { write(expression, out) } else { parenthesized(expression, out) }
}

fn parenthesized(expression: &Expression, out: &mut String) {
    out.push('(');
    write(expression, out);
    out.push(')');
}

fn list<T>(items: &[T], out: &mut String, write: impl Fn(&T, &mut String)) {
    out.push('(');
    for (nth, item) in items.iter().enumerate() {
        if nth > 0 {
            out.push(',');
        }
        write(item, out);
    }
    out.push(')');
}

fn property(name: &str, out: &mut String) {
    let is_plain = name.starts_with(begins_name) && name.chars().all(continues_name);
    if is_plain && !is_reserved(name) {
        out.push_str(name);
    } else {
        let _ = write!(out, "\"{}\"", name.replace('"', "\"\""));
    }
}

fn quoted(text: &str, out: &mut String) {
    out.push('\'');
    let mut before = ' ';
    for c in text.chars() {
        match c {
            // Behind a backslash a quote is written with one more, which is then its own.
            '\'' if before == '\\' => out.push_str("\\'"),
            '\'' => out.push_str("''"),
            c => out.push(c),
        }
        before = c;
    }
    out.push('\'');
}

/// Whole numbers without a fraction.
fn write_number(number: f64, out: &mut String) {
    let _ = if number.abs() < 1e15 { write!(out, "{number}") } else { write!(out, "{number:e}") };
}

fn geometry(literal: &Literal, out: &mut String) {
    let name = match literal {
        Literal::Point(_) => "POINT",
        Literal::LineString(_) => "LINESTRING",
        Literal::Polygon(_) => "POLYGON",
        Literal::MultiPoint(_) => "MULTIPOINT",
        Literal::MultiLineString(_) => "MULTILINESTRING",
        Literal::MultiPolygon(_) => "MULTIPOLYGON",
        Literal::GeometryCollection(_) => "GEOMETRYCOLLECTION",
    };
    out.push_str(name);
    match literal {
        Literal::Point(at) => positions(std::slice::from_ref(at), out),
        Literal::LineString(line) => positions(line, out),
        Literal::MultiPoint(points) => {
            list(points, out, |point, out| positions(std::slice::from_ref(point), out));
        }
        Literal::Polygon(rings) | Literal::MultiLineString(rings) => list(rings, out, lines),
        Literal::MultiPolygon(polygons) => {
            list(polygons, out, |rings, out| list(rings, out, lines));
        }
        Literal::GeometryCollection(all) => list(all, out, geometry),
    }
}

#[expect(clippy::ptr_arg, reason = "it writes the items of a list of lines")]
fn lines(line: &Vec<Position>, out: &mut String) {
    positions(line, out);
}

fn positions(line: &[Position], out: &mut String) {
    list(line, out, |Position { x, y, z }, out| {
        write_number(*x, out);
        out.push(' ');
        write_number(*y, out);
        if let Some(z) = z {
            out.push(' ');
            write_number(*z, out);
        }
    });
}

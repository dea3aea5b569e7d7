//! Functions and arithmetic.

use super::{Compiler, Typed, folded, noun};
use crate::cql2::error::shorten;
use crate::cql2::{Cql2Error, Expression, Operation, Place};
use crate::predicate::{Function, Signature, Sort, Term, all_functions};

impl Compiler<'_> {
    pub(super) fn call(
        &self,
        expression: &Expression,
        operation: &Operation,
        arguments: &[Expression],
    ) -> Result<Typed, Cql2Error> {
        let place = &expression.place;
        let (term, sort) = match (operation, arguments) {
            (Operation::Arithmetic(function), [left, right]) => {
                let operands = vec![self.number(left)?, self.number(right)?];
                (Term::Call(*function, operands), Sort::Number)
            }
            (Operation::CaseI, [text]) => {
                (Term::Call(Function::CaseFolded, vec![self.text(text)?]), Sort::Text)
            }
            (Operation::AccentI, [text]) => {
                (Term::Call(Function::Unaccented, vec![self.text(text)?]), Sort::Text)
            }
            (Operation::Function(name), arguments) => self.function(place, name, arguments)?,
            _ => {
                let condition = self.condition(expression)?;
                (Term::Truth(Box::new(condition)), Sort::Bool)
            }
        };
        let noun = noun(expression);
        Ok(Typed { term: folded(term), sort, place: place.clone(), noun })
    }

    fn function(
        &self,
        place: &Place,
        name: &str,
        arguments: &[Expression],
    ) -> Result<(Term, Sort), Cql2Error> {
        let Some(signature) = Signature::of(name) else {
            let known: Vec<&str> = all_functions().iter().map(|known| known.name).collect();
            let reason =
                format!("{:?} is no function here; there are {}", shorten(name), known.join(", "));
            return Err(Cql2Error::meaning(place, reason));
        };
        let needed = signature.arguments;
        if needed.len() != arguments.len() {
            let reason = format!(
                "{} takes {} arguments and has {}",
                signature.name,
                needed.len(),
                arguments.len()
            );
            return Err(Cql2Error::meaning(place, reason));
        }
        let terms: Result<Vec<Term>, _> = needed
            .iter()
            .zip(arguments)
            .map(|((_, sort), argument)| self.argument(argument, *sort))
            .collect();
        Ok((Term::Call(signature.function, terms?), signature.returns))
    }

    fn argument(&self, argument: &Expression, sort: Sort) -> Result<Term, Cql2Error> {
        match sort {
            Sort::Number => self.number(argument),
            Sort::Text => self.text(argument),
            Sort::Geometry => self.geometry(argument),
            Sort::Array => self.array(argument),
            Sort::Moment => self.instant(argument),
            _ => self.term(argument).map(|typed| typed.term),
        }
    }
}

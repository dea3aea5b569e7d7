use std::sync::Arc;

use async_graphql::Value;
use cardo_engine::{
    Counting, EntityQuery, Figures, Order, PageRequest, PageStart, Snapshot, Table,
    can_have_numbers,
};
use cardo_query::Filter;

use super::page::{Arguments, PageArgs, Start, given};
use super::{Group, Moment, Node};
use crate::fault::Fault;
use crate::filter;

/// The figures of a type, with its names.
#[derive(Clone)]
pub(crate) struct TypeAggregate {
    pub(crate) moment: Arc<Moment>,
    pub(crate) of: usize,
    pub(crate) figures: Figures,
}

/// The figures of what lies in an area.
pub(crate) struct AreaAggregate {
    pub(crate) area: Node,
    pub(crate) types: Vec<TypeAggregate>,
}

/// The figures of one of its columns.
pub(crate) struct NumberOf {
    pub(crate) of: TypeAggregate,
    pub(crate) at: usize,
}

impl TypeAggregate {
    pub(crate) fn table(&self) -> &Table {
        self.moment.model.table(self.of)
    }
}

impl NumberOf {
    pub(crate) fn member(&self, name: &str) -> Value {
        let numbers = &self.of.figures.numbers[self.at];
        match name {
            "attribute" => Value::from(self.of.table().columns[numbers.column].name.as_ref()),
            "unit" => numbers.unit.as_deref().map_or(Value::Null, Value::from),
            "count" => Value::from(numbers.count),
            "sum" => Value::from(numbers.sum),
            "mean" => Value::from(numbers.mean()),
            "min" => Value::from(numbers.min),
            _ => Value::from(numbers.max),
        }
    }
}

/// What is to be counted, of one type or of several.
pub(crate) struct Wanted<'a> {
    moment: &'a Arc<Moment>,
    countings: Vec<(usize, Counting<'a>)>,
}

impl<'a> Wanted<'a> {
    /// Reads the arguments; `types` are the places of the types, and `of` the one whose filter it
    /// is.
    pub(crate) fn read(
        moment: &'a Arc<Moment>,
        args: &Arguments,
        types: &[usize],
        of: Option<usize>,
    ) -> Result<Self, Fault> {
        let model = &moment.model;
        let condition = match given(args, "filter") {
            Some(value) => filter::filter(model, of, value)?,
            None => Filter::True,
        };
        let names = names(args)?;
        let tables: Vec<&Table> = types.iter().map(|of| model.table(*of)).collect();
        check_names(names.as_deref(), &tables)?;
        let mut countings = Vec::with_capacity(types.len());
        for of in types {
            let table = model.table(*of);
            let filter = match given(args, "area") {
                // What has no place lies in no area.
                Some(_) if table.geometry.is_none() => Filter::False,
                Some(area) => condition.clone().and(filter::area(model, *of, area, false)?),
                None => condition.clone(),
            };
            let columns = match &names {
                None => table.number_columns().collect(),
                Some(names) => {
                    let place = |name: &String| {
                        table.columns.iter().position(|c| c.name.as_ref() == name.as_str())
                    };
                    let mut places: Vec<usize> = names.iter().filter_map(place).collect();
                    places.sort_unstable();
                    places.dedup();
                    places
                }
            };
            countings.push((*of, Counting { table, filter, columns }));
        }
        Ok(Self { moment, countings })
    }

    /// The twin with what context sources have of the entities that are counted.
    async fn completed(&self) -> Result<Snapshot, Fault> {
        let Moment { face, caller, snapshot, .. } = self.moment.as_ref();
        let all = self.countings.iter();
        let types: Vec<_> = all.map(|(_, one)| (&one.table.type_name, &one.filter)).collect();
        Ok(face.engine.completed_of(caller, snapshot.clone(), &types).await?)
    }

    /// The figures of each type.
    pub(crate) async fn all(&self) -> Result<Vec<TypeAggregate>, Fault> {
        let (face, snapshot) = (&self.moment.face, self.completed().await?);
        let mut all = Vec::with_capacity(self.countings.len());
        for (of, counting) in &self.countings {
            let figures = face.engine.aggregate(&snapshot, counting).await?;
            all.push(self.shown(*of, figures));
        }
        Ok(all)
    }

    /// The figures of each type in each area of a type.
    pub(crate) async fn by_area(
        &self,
        args: &Arguments,
        areas: usize,
    ) -> Result<Vec<AreaAggregate>, Fault> {
        let Moment { face, model, .. } = self.moment.as_ref();
        let mut condition = filter::of_type(model, Some(areas));
        if let Some(value) = given(args, "areaFilter") {
            condition = condition.and(filter::filter(model, None, value)?);
        }
        let page = PageArgs::read(args, &face.options.limits)?;
        if page.start != Start::First {
            return Err(Fault::input("areas are asked for by first alone"));
        }
        let query = EntityQuery {
            filter: condition,
            order: Order::default(),
            page: PageRequest { limit: page.limit, start: PageStart::Offset(0) },
            count: false,
        };
        let found = self.moment.page(&query).await?.entities;
        let countings: Vec<Counting<'_>> =
            self.countings.iter().map(|(_, counting)| counting.clone()).collect();
        let table = model.table(areas);
        let snapshot = self.completed().await?;
        let figures = face.engine.aggregate_by_area(&snapshot, table, &found, &countings).await?;
        let group = Group::new(self.moment.clone(), found);
        let of_area = |(area, figures): (Node, Vec<Figures>)| AreaAggregate {
            area,
            types: self
                .countings
                .iter()
                .zip(figures)
                .map(|((of, _), f)| self.shown(*of, f))
                .collect(),
        };
        Ok(group.nodes().zip(figures).map(of_area).collect())
    }

    fn shown(&self, of: usize, figures: Figures) -> TypeAggregate {
        TypeAggregate { moment: self.moment.clone(), of, figures }
    }
}

fn names(args: &Arguments) -> Result<Option<Vec<String>>, Fault> {
    let Some(value) = given(args, "attributes") else { return Ok(None) };
    let items = match value {
        Value::List(items) => items.as_slice(),
        one => std::slice::from_ref(one),
    };
    let name = |value: &Value| match value {
        Value::String(name) => Ok(name.clone()),
        Value::Enum(name) => Ok(name.to_string()),
        other => Err(Fault::input(format!("attributes holds {other}, which is no text"))),
    };
    items.iter().map(name).collect::<Result<_, _>>().map(Some)
}

/// Refuses names that no type has as a column of numbers.
fn check_names(names: Option<&[String]>, tables: &[&Table]) -> Result<(), Fault> {
    for name in names.unwrap_or_default() {
        let is_known = tables.iter().any(|table| table.column(name).is_some_and(can_have_numbers));
        if !is_known {
            let name: String = name.chars().take(80).collect();
            return Err(Fault::input(format!("{name:?} is no attribute with numbers here")));
        }
    }
    Ok(())
}

//! Changes: typed inputs as operations of the engine.

mod any;

use std::sync::Arc;

use async_graphql::Value as Given;
use cardo_engine::{
    Batch, Column, ColumnPart, ColumnType, MergeOptions, Operation, Outcome, Table,
};
use cardo_model::{
    Attribute, AttributeFragment, Entity, EntityId, Fragment, Instance, InstanceFragment, Iri,
    JsonText, Kind, NGSI_LD_NULL, Revision, Scope, Timestamp, Value,
};
use cardo_query::{Datasets, Instant};
use serde_json::Map;

use crate::fault::{Code, Fault};
use crate::filter::geometry;
use crate::model::Model;
use crate::resolve::{Group, Node};
use crate::schema::type_iri;
use crate::session::Session;
use crate::value::to_json;

pub(crate) use any::VALUES;

/// How an input is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Write {
    Create,
    Merge,
    Replace,
}

/// An entity that is gone.
pub(crate) struct Deleted {
    pub(crate) id: String,
    pub(crate) revision: Revision,
}

/// Deletes an entity of any type.
pub(crate) async fn delete(session: &Session, id: &str) -> Result<Deleted, Fault> {
    let outcome = apply(session, Operation::Delete(entity_id(id)?)).await?;
    session.move_on().await?;
    Ok(Deleted { id: id.to_owned(), revision: outcome.revision })
}

/// Applies an input; the entity as it is then.
pub(crate) async fn write(
    session: &Arc<Session>,
    of: Option<usize>,
    id: &str,
    input: &Given,
    how: Write,
) -> Result<Option<Node>, Fault> {
    let operation = operation(session, of, id, input, how).await?;
    apply(session, operation).await?;
    let moment = session.move_on().await?;
    let record = moment.one(id).await?;
    Ok(record.map(|record| Group::of_one(moment, record)))
}

async fn apply(session: &Session, operation: Operation) -> Result<Outcome, Fault> {
    let batch = Batch { operations: vec![operation], ..Batch::default() };
    let mut outcome = session.face.engine.apply(&session.caller, batch).await?;
    match outcome.results.pop() {
        Some(Err(error)) => Err(error.into()),
        _ => Ok(outcome),
    }
}

fn entity_id(id: &str) -> Result<EntityId, Fault> {
    Ok(EntityId::new(id.to_owned())?)
}

/// An input of a type of the schema, or of any type.
async fn operation(
    session: &Session,
    of: Option<usize>,
    id: &str,
    input: &Given,
    how: Write,
) -> Result<Operation, Fault> {
    let table = of.map(|of| session.model.table(of));
    let mut draft = match table {
        Some(table) => Draft::read(&session.model, table, input)?,
        None => any::read(session, input)?,
    };
    if how == Write::Merge {
        let record = session.moment().one(id).await?;
        let is_of = |table: &Table| {
            let types = record.as_ref().map(|record| record.view().types());
            types.is_some_and(|mut types| types.any(|name| name == table.id))
        };
        let is_there = table.map_or(record.is_some(), is_of);
        if !is_there {
            let name = table.map_or("entity", |table| table.name.as_ref());
            return Err(Fault::new(Code::NotFound, format!("there is no {name} {id:?}")));
        }
        let fragment = draft.into_fragment()?;
        let options = MergeOptions::default();
        return Ok(Operation::Merge { id: entity_id(id)?, fragment, options });
    }
    let type_name = match table {
        Some(table) => table.type_name.clone(),
        None if draft.types.is_empty() => return Err(Fault::input("type is missing")),
        None => draft.types.remove(0),
    };
    let entity = draft.into_entity(entity_id(id)?, &type_name)?;
    Ok(if how == Write::Create { Operation::Create(entity) } else { Operation::Replace(entity) })
}

/// What an input says, in the shape of an entity.
#[derive(Default)]
struct Draft {
    types: Vec<Iri>,
    scopes: Option<Vec<Scope>>,
    expires_at: Said<Timestamp>,
    attributes: Vec<AttributeDraft>,
}

struct AttributeDraft {
    name: Iri,
    instances: Vec<InstanceDraft>,
}

/// What an input says of one thing.
#[derive(Default)]
enum Said<T> {
    /// Nothing: it stays as it is.
    #[default]
    Nothing,
    /// It is taken away.
    Gone,
    /// It is this.
    This(T),
}

impl<T> Said<T> {
    fn this(self) -> Option<T> {
        match self {
            Self::This(value) => Some(value),
            Self::Nothing | Self::Gone => None,
        }
    }

    fn is_gone(&self) -> bool {
        matches!(self, Self::Gone)
    }
}

impl<T> From<Option<T>> for Said<T> {
    fn from(given: Option<T>) -> Self {
        given.map_or(Self::Gone, Self::This)
    }
}

/// What is said of an instance.
#[derive(Default)]
struct InstanceDraft {
    dataset: Option<Iri>,
    value: Said<Value>,
    kind: Option<Kind>,
    /// The datatype of a date or a moment.
    datatype: Option<&'static str>,
    languages: Vec<(Box<str>, Option<String>)>,
    observed_at: Said<Timestamp>,
    unit_code: Said<Box<str>>,
    attributes: Vec<AttributeDraft>,
}

impl Draft {
    fn read(model: &Model, table: &Table, input: &Given) -> Result<Self, Fault> {
        let Given::Object(members) = input else {
            return Err(Fault::input(format!("input is {input}, and has to be an object")));
        };
        let mut draft = Self::default();
        for (name, given) in members {
            match name.as_str() {
                "type" => {
                    for name in texts(given, "type")? {
                        draft.types.push(type_iri(model, name)?);
                    }
                }
                "scope" => {
                    let scopes = texts(given, "scope")?.into_iter().map(Scope::new);
                    draft.scopes = Some(scopes.collect::<Result<_, _>>()?);
                }
                "expiresAt" => draft.expires_at = moment(given, "expiresAt")?.into(),
                name => {
                    let column = table.column(name).ok_or_else(|| {
                        Fault::input(format!("{name:?} is no field of {}", table.name))
                    })?;
                    draft.put(table, column, given)?;
                }
            }
        }
        Ok(draft)
    }

    fn put(&mut self, table: &Table, column: &Column, given: &Given) -> Result<(), Fault> {
        let dataset = match &column.path.datasets {
            Datasets::Only(id) => Some(id.clone()),
            Datasets::Any | Datasets::Preferred => None,
        };
        let mut instance = instance(&mut self.attributes, column.attribute(), dataset);
        for name in &column.path.attributes {
            instance = self::instance(&mut instance.attributes, name, None);
        }
        let name = column.name.as_ref();
        match &column.part {
            ColumnPart::ObservedAt => instance.observed_at = moment(given, name)?.into(),
            ColumnPart::UnitCode => {
                instance.unit_code = optional_text(given, name)?.map(Into::into).into();
            }
            ColumnPart::Language(tag) => {
                instance.languages.push((tag.clone(), optional_text(given, name)?));
            }
            ColumnPart::Value if is_language_map(table, column) => {
                instance.languages.push(("@none".into(), optional_text(given, name)?));
            }
            ColumnPart::Value => {
                instance.kind = Some(kind(column.datatype));
                instance.datatype = match column.datatype {
                    ColumnType::DateTime => Some("DateTime"),
                    ColumnType::Date => Some("Date"),
                    _ => None,
                };
                instance.value = match given {
                    Given::Null => Said::Gone,
                    given => Said::This(value(table, column.datatype, given, name)?),
                };
            }
        }
        Ok(())
    }

    fn into_entity(self, id: EntityId, type_name: &Iri) -> Result<Entity, Fault> {
        let mut entity = Entity::new(id, type_name.clone());
        entity.types.extend(self.types.into_iter().filter(|other| other != type_name));
        entity.scopes = self.scopes.unwrap_or_default();
        entity.expires_at = self.expires_at.this();
        entity.attributes = whole(self.attributes)?;
        Ok(entity)
    }

    fn into_fragment(self) -> Result<Fragment, Fault> {
        Ok(Fragment {
            types: self.types,
            scopes: self.scopes,
            attributes: parts(self.attributes)?,
            without_expires_at: self.expires_at.is_gone(),
            expires_at: self.expires_at.this(),
        })
    }
}

/// The draft of an instance, made where it is missing.
fn instance<'a>(
    attributes: &'a mut Vec<AttributeDraft>,
    name: &Iri,
    dataset: Option<Iri>,
) -> &'a mut InstanceDraft {
    let at = attributes.iter().position(|attribute| attribute.name == *name).unwrap_or_else(|| {
        attributes.push(AttributeDraft { name: name.clone(), instances: Vec::new() });
        attributes.len() - 1
    });
    let instances = &mut attributes[at].instances;
    let at = instances.iter().position(|i| i.dataset == dataset).unwrap_or_else(|| {
        instances.push(InstanceDraft { dataset, ..InstanceDraft::default() });
        instances.len() - 1
    });
    &mut instances[at]
}

/// Attributes as they are created; those without a value are left out, those with parts of one are
/// refused.
fn whole(drafts: Vec<AttributeDraft>) -> Result<Vec<Attribute>, Fault> {
    let mut attributes = Vec::new();
    for draft in drafts {
        let mut instances = Vec::new();
        for instance in draft.instances {
            instances.extend(instance.into_instance(&draft.name)?);
        }
        // The default instance stands first.
        instances.sort_by_key(|instance| instance.dataset_id.is_some());
        if !instances.is_empty() {
            attributes.push(Attribute { name: draft.name, instances });
        }
    }
    Ok(attributes)
}

fn parts(drafts: Vec<AttributeDraft>) -> Result<Vec<AttributeFragment>, Fault> {
    let part = |draft: AttributeDraft| {
        let instances = draft.instances.into_iter().map(InstanceDraft::into_fragment);
        let instances = instances.collect::<Result<_, Fault>>()?;
        Ok(AttributeFragment { name: draft.name, instances })
    };
    drafts.into_iter().map(part).collect()
}

impl InstanceDraft {
    fn language_map(&self, with_null: bool) -> Option<Value> {
        if self.languages.is_empty() {
            return None;
        }
        let mut texts = Map::new();
        for (tag, text) in &self.languages {
            match text {
                Some(text) => {
                    texts.insert(tag.to_string(), text.as_str().into());
                }
                None if with_null => {
                    texts.insert(tag.to_string(), NGSI_LD_NULL.into());
                }
                None => {}
            }
        }
        let is_empty = texts.is_empty();
        (!is_empty).then(|| Value::language_map(JsonText::from_value(&texts.into())))
    }

    fn into_instance(self, name: &Iri) -> Result<Option<Instance>, Fault> {
        let map = self.language_map(false);
        let Some(value) = map.or_else(|| self.value.this()) else {
            let has_parts = self.observed_at.this().is_some()
                || self.unit_code.this().is_some()
                || !whole(self.attributes)?.is_empty();
            if has_parts {
                let name = name.as_str();
                return Err(Fault::input(format!("what is said of {name} needs its value")));
            }
            return Ok(None);
        };
        let mut instance = Instance::new(value);
        instance.dataset_id = self.dataset;
        instance.observed_at = self.observed_at.this();
        instance.unit_code = self.unit_code.this();
        instance.value_type = self.datatype.map(Into::into);
        instance.attributes = whole(self.attributes)?;
        Ok(Some(instance))
    }

    fn into_fragment(self) -> Result<InstanceFragment, Fault> {
        let map = self.language_map(true);
        let kind = map.as_ref().map(Value::kind).or(self.kind);
        let value = match (map, self.value) {
            (Some(map), _) => Some(map),
            (None, Said::This(value)) => Some(value),
            (None, Said::Gone) => Some(Value::null(kind.unwrap_or(Kind::Property))),
            (None, Said::Nothing) => None,
        };
        Ok(InstanceFragment {
            value,
            dataset_id: self.dataset,
            without_observed_at: self.observed_at.is_gone(),
            observed_at: self.observed_at.this(),
            unit_code: match self.unit_code {
                Said::Nothing => None,
                Said::Gone => Some(NGSI_LD_NULL.into()),
                Said::This(unit) => Some(unit),
            },
            value_type: self.datatype.map(Into::into),
            attributes: parts(self.attributes)?,
            ..InstanceFragment::default()
        })
    }
}

/// Whether a column shows the text of a language map: its languages are columns beside it.
fn is_language_map(table: &Table, column: &Column) -> bool {
    table.columns.iter().any(|other| {
        matches!(other.part, ColumnPart::Language(_))
            && other.path.root == column.path.root
            && other.path.attributes == column.path.attributes
            && other.path.datasets == column.path.datasets
    })
}

fn kind(datatype: ColumnType) -> Kind {
    match datatype {
        ColumnType::Geometry => Kind::GeoProperty,
        ColumnType::Relationship | ColumnType::Relationships => Kind::Relationship,
        ColumnType::Vocab => Kind::VocabProperty,
        ColumnType::Number
        | ColumnType::Text
        | ColumnType::Boolean
        | ColumnType::Date
        | ColumnType::DateTime
        | ColumnType::List
        | ColumnType::Json => Kind::Property,
    }
}

fn value(table: &Table, datatype: ColumnType, given: &Given, name: &str) -> Result<Value, Fault> {
    let wrong = || Fault::input(format!("{name} is {given}, which its type does not allow"));
    match datatype {
        ColumnType::Geometry => Ok(Value::geo(&geometry(given, name)?)),
        ColumnType::Relationship => match given {
            Given::String(id) => Ok(Value::relationship(&Iri::new(id.clone())?)),
            _ => Err(wrong()),
        },
        ColumnType::Relationships => {
            let ids = texts(given, name)?.into_iter().map(|id| Iri::new(id.to_owned()));
            Ok(Value::relationships(&ids.collect::<Result<Vec<_>, _>>()?))
        }
        ColumnType::Vocab => match given {
            Given::String(text) => Ok(Value::vocab(JsonText::string(&table.full_name(text)))),
            _ => Err(wrong()),
        },
        ColumnType::DateTime => match given {
            Given::String(text) => {
                Timestamp::parse(text)?;
                Ok(Value::property(JsonText::string(text), false))
            }
            _ => Err(wrong()),
        },
        ColumnType::Date => match given {
            Given::String(text) if Instant::date(text).is_some() => {
                Ok(Value::property(JsonText::string(text), false))
            }
            _ => Err(wrong()),
        },
        ColumnType::Number
        | ColumnType::Text
        | ColumnType::Boolean
        | ColumnType::List
        | ColumnType::Json => Ok(Value::property(json_text(given, name)?, false)),
    }
}

fn json_text(given: &Given, name: &str) -> Result<JsonText, Fault> {
    let wrong = || Fault::input(format!("{name} is {given}, which its type does not allow"));
    let json = to_json(given).ok_or_else(wrong)?;
    let text = serde_json::to_string(&json).map_err(|_| wrong())?;
    Ok(JsonText::parse(&text)?)
}

fn moment(given: &Given, name: &str) -> Result<Option<Timestamp>, Fault> {
    match given {
        Given::Null => Ok(None),
        Given::String(text) => Ok(Some(Timestamp::parse(text)?)),
        other => Err(Fault::input(format!("{name} is {other}, and has to be a date and time"))),
    }
}

fn optional_text(given: &Given, name: &str) -> Result<Option<String>, Fault> {
    match given {
        Given::Null => Ok(None),
        Given::String(text) => Ok(Some(text.clone())),
        other => Err(Fault::input(format!("{name} is {other}, and has to be a text"))),
    }
}

fn texts<'a>(given: &'a Given, name: &str) -> Result<Vec<&'a str>, Fault> {
    let text = |item: &'a Given| match item {
        Given::String(text) => Ok(text.as_str()),
        other => Err(Fault::input(format!("{name} holds {other}, which is no text"))),
    };
    match given {
        Given::Null => Ok(Vec::new()),
        Given::List(items) => items.iter().map(text).collect(),
        one => Ok(vec![text(one)?]),
    }
}

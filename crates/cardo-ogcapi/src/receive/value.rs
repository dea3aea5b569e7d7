use cardo_engine::{ColumnType, Table};
use cardo_http::path_decode;
use cardo_model::{EntityId, Geometry, Instance, Iri, JsonText, Kind, Timestamp, Value as Held};
use cardo_spatial::CrsError;
use serde_json::{Value, json};

use super::body::shortened;
use crate::fault::Fault;
use crate::systems::System;

/// What values are made with.
pub(super) struct Maker<'a> {
    pub(super) table: &'a Table,
    /// The address below which features stand, to know references by.
    pub(super) root: &'a str,
    /// The reference system of positions.
    pub(super) system: &'a System,
    /// The property, for what is said of it.
    pub(super) name: &'a str,
}

impl Maker<'_> {
    /// The value of an instance of a column; `before` is the instance as it is, `usual` the kind that
    /// its attribute has elsewhere.
    pub(super) fn value(
        &self,
        given: &Value,
        datatype: ColumnType,
        before: Option<&Instance>,
        usual: Option<Kind>,
    ) -> Result<(Held, Option<Box<str>>), Fault> {
        let kind = before.map(|instance| instance.value.kind()).or(usual);
        let value_type = before.and_then(|instance| instance.value_type.clone());
        let plain = |held: Held| Ok((held, value_type.clone()));
        match datatype {
            ColumnType::Number if given.is_number() => plain(self.property(given, kind)?),
            ColumnType::Number => Err(self.wrong(given, "a number")),
            ColumnType::Boolean if given.is_boolean() => plain(self.property(given, kind)?),
            ColumnType::Boolean => Err(self.wrong(given, "true or false")),
            ColumnType::Text => {
                let text = given.as_str().ok_or_else(|| self.wrong(given, "a text"))?;
                if kind == Some(Kind::LanguageProperty) {
                    return plain(self.text_of(text, before)?);
                }
                plain(self.property(given, kind)?)
            }
            ColumnType::Date | ColumnType::DateTime => self.moment(given, datatype, before),
            ColumnType::List if given.is_array() => plain(self.property(given, kind)?),
            ColumnType::List => Err(self.wrong(given, "a list")),
            ColumnType::Json => plain(self.property(given, kind)?),
            ColumnType::Geometry => plain(Held::geo(&self.geometry(given)?)),
            ColumnType::Relationship => plain(Held::relationship(&self.reference(given)?)),
            ColumnType::Relationships => {
                let items = given.as_array().map_or(std::slice::from_ref(given), Vec::as_slice);
                let ids = items.iter().map(|item| self.reference(item));
                let ids: Vec<Iri> = ids.collect::<Result<_, _>>()?;
                plain(match (kind, ids.as_slice()) {
                    (_, []) => return Err(self.wrong(given, "a list of ids")),
                    (Some(Kind::ListRelationship), ids) => Held::list_relationship(ids),
                    (_, [one]) => Held::relationship(one),
                    (_, several) => Held::relationships(several),
                })
            }
            ColumnType::Vocab => {
                let text = given.as_str().ok_or_else(|| self.wrong(given, "a name"))?;
                plain(Held::vocab(JsonText::string(&self.table.full_name(text))))
            }
        }
    }

    /// A language map with one text set: the one that is shown, or one in no language.
    fn text_of(&self, text: &str, before: Option<&Instance>) -> Result<Held, Fault> {
        let map = before.map(|instance| serde_json::from_str(instance.value.as_json()));
        let Some(Ok(Value::Object(map))) = map else {
            return self.language_map(None, "@none", Some(text));
        };
        let shown = ["@none", "en"].into_iter().find(|language| map.contains_key(*language));
        let first = map.keys().min().map(String::as_str);
        let language = shown.or(first).unwrap_or("@none").to_owned();
        self.language_map(before, &language, Some(text))
    }

    /// A language map with the text of a language set, or taken out.
    pub(super) fn language_map(
        &self,
        before: Option<&Instance>,
        language: &str,
        text: Option<&str>,
    ) -> Result<Held, Fault> {
        let map = match before {
            None => json!({}),
            Some(before) if before.value.kind() == Kind::LanguageProperty => {
                serde_json::from_str(before.value.as_json()).unwrap_or_default()
            }
            Some(_) => {
                let name = self.name;
                return Err(Fault::unprocessable(format!("{name:?} has no texts in languages")));
            }
        };
        let Value::Object(mut map) = map else { return Err(self.wrong(&map, "a language map")) };
        match text {
            Some(text) => map.insert(language.to_owned(), text.into()),
            None => map.shift_remove(language),
        };
        Ok(Held::language_map(self.text(&Value::Object(map))?))
    }

    fn property(&self, given: &Value, kind: Option<Kind>) -> Result<Held, Fault> {
        let text = self.text(given)?;
        Ok(match kind {
            Some(Kind::JsonProperty) => Held::json(text),
            Some(Kind::ListProperty) if given.is_array() => Held::list(text, false),
            _ => Held::property(text, false),
        })
    }

    /// A date or a date with a time, in the form in which the instance held it.
    fn moment(
        &self,
        given: &Value,
        datatype: ColumnType,
        before: Option<&Instance>,
    ) -> Result<(Held, Option<Box<str>>), Fault> {
        let text = given.as_str().unwrap_or_default();
        let (whole, name, what) = match datatype {
            ColumnType::Date => (format!("{text}T00:00:00Z"), "Date", "a date"),
            _ => (text.to_owned(), "DateTime", "a date with a time and a zone"),
        };
        if Timestamp::parse(&whole).is_err() {
            return Err(self.wrong(given, what));
        }
        let held = before.map(|instance| serde_json::from_str(instance.value.as_json()));
        if let Some(Ok(Value::Object(mut typed))) = held
            && typed.contains_key("@value")
        {
            typed.insert("@value".into(), text.into());
            let typed = Held::property(self.text(&Value::Object(typed))?, false);
            return Ok((typed, before.and_then(|instance| instance.value_type.clone())));
        }
        let value_type = before.and_then(|instance| instance.value_type.clone());
        let value_type = value_type.unwrap_or_else(|| name.into());
        Ok((Held::property(JsonText::string(text), false), Some(value_type)))
    }

    fn geometry(&self, given: &Value) -> Result<Geometry, Fault> {
        let fault = |error: &dyn std::fmt::Display| {
            Fault::unprocessable(format!("{:?} is no geometry: {error}", self.name))
        };
        if self.system.crs.is_lon_lat() {
            return Geometry::parse(&given.to_string()).map_err(|error| fault(&error));
        }
        let mut given = given.clone();
        self.place(&mut given).map_err(|error| fault(&error))?;
        Geometry::parse(&given.to_string()).map_err(|error| fault(&error))
    }

    /// Brings the positions of a geometry to longitude and latitude, and heights to metres.
    fn place(&self, given: &mut Value) -> Result<(), CrsError> {
        match given {
            Value::Object(members) => {
                for name in ["coordinates", "geometries"] {
                    members.get_mut(name).map_or(Ok(()), |inner| self.place(inner))?;
                }
            }
            Value::Array(items) => {
                let number = |at: usize| items.get(at).and_then(Value::as_f64);
                if let (Some(first), Some(second)) = (number(0), number(1)) {
                    let crs = &self.system.crs;
                    let [lon, lat] = match number(2).filter(|_| !crs.keeps_heights()) {
                        Some(third) => {
                            let [lon, lat, height] = crs.to_wgs84_high([first, second, third])?;
                            items[2] = height.into();
                            [lon, lat]
                        }
                        None => crs.to_wgs84([first, second])?,
                    };
                    crs.check([first, second], [lon, lat])?;
                    items[0] = lon.into();
                    items[1] = lat.into();
                } else {
                    items.iter_mut().try_for_each(|item| self.place(item))?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// The entity that a reference names: by its id, by the address of a feature here, or by a link
    /// to one (OGC 23-058r2, clause 14).
    fn reference(&self, given: &Value) -> Result<Iri, Fault> {
        let text = given.as_str().or_else(|| given["href"].as_str());
        let text = text.ok_or_else(|| self.wrong(given, "the id of a feature"))?;
        let own = text.strip_prefix(self.root).and_then(|path| {
            let path = path.split('?').next()?.trim_end_matches('/');
            path_decode(path.rsplit_once("/items/")?.1).map(std::borrow::Cow::into_owned)
        });
        let id = own.unwrap_or_else(|| text.to_owned());
        EntityId::new(id).map_err(|error| {
            Fault::unprocessable(format!("{:?} is no reference to a feature: {error}", self.name))
        })
    }

    pub(super) fn instant(&self, given: &Value) -> Result<Timestamp, Fault> {
        let moment = given.as_str().and_then(|text| Timestamp::parse(text).ok());
        moment.ok_or_else(|| self.wrong(given, "a date with a time and a zone"))
    }

    fn text(&self, given: &Value) -> Result<JsonText, Fault> {
        JsonText::parse(&given.to_string())
            .map_err(|error| Fault::unprocessable(format!("{:?}: {error}", self.name)))
    }

    pub(super) fn wrong(&self, given: &Value, expected: &str) -> Fault {
        let (name, given) = (self.name, shortened(given));
        Fault::unprocessable(format!("{name:?} is {given} and has to be {expected}"))
    }
}

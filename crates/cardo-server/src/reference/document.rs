//! What an OpenAPI document says, as far as a page shows it.

use cardo_http::BaseUrl;
use serde_json::Value;

use super::example::{Example, encoded};
use super::kind::{Kind, plain};

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

pub(super) struct Api {
    pub(super) says: String,
    /// What stands before its paths on this server.
    pub(super) prefix: String,
    pub(super) tags: Vec<Tag>,
    pub(super) schemas: Vec<Schema>,
}

pub(super) struct Tag {
    pub(super) name: String,
    pub(super) says: String,
    /// In an order in which their examples can be run.
    pub(super) operations: Vec<Operation>,
}

pub(super) struct Operation {
    /// Unique on the page.
    pub(super) id: String,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) summary: String,
    pub(super) says: String,
    pub(super) parameters: Vec<Parameter>,
    pub(super) body: Option<Content>,
    pub(super) answers: Vec<Answer>,
    /// None where nothing is known that it could ask for.
    pub(super) example: Option<Example>,
}

pub(super) struct Parameter {
    pub(super) name: String,
    pub(super) place: String,
    pub(super) is_required: bool,
    pub(super) says: String,
    pub(super) kind: Kind,
    pub(super) default: Option<String>,
    pub(super) example: Option<String>,
}

pub(super) struct Answer {
    pub(super) status: String,
    pub(super) says: String,
    pub(super) content: Option<Content>,
    pub(super) headers: Vec<String>,
}

/// Media types of one meaning.
pub(super) struct Content {
    pub(super) media_types: Vec<String>,
    pub(super) kind: Kind,
    example: Option<Value>,
}

pub(super) struct Schema {
    pub(super) name: String,
    pub(super) says: String,
    pub(super) kind: Kind,
    pub(super) members: Vec<Member>,
}

pub(super) struct Member {
    pub(super) name: String,
    pub(super) is_required: bool,
    pub(super) says: String,
    pub(super) kind: Kind,
}

impl Api {
    /// Reads a document of ours; `id` keeps it apart from others on the page.
    pub(super) fn read(id: &str, document: &Value, base: &BaseUrl) -> Self {
        let address = string(&document["servers"][0]["url"]);
        let prefix = address.strip_prefix(base.as_str()).unwrap_or(&address).to_owned();
        let reader = Reader { id, document, address: &address };
        let tags = items(&document["tags"]).map(|tag| reader.tag(tag)).collect();
        let schemas = members(&document["components"]["schemas"]);
        let schemas = schemas.map(|(name, schema)| reader.schema(name, schema)).collect();
        Self { says: string(&document["info"]["description"]), prefix, tags, schemas }
    }
}

struct Reader<'a> {
    id: &'a str,
    document: &'a Value,
    address: &'a str,
}

impl Reader<'_> {
    fn tag(&self, tag: &Value) -> Tag {
        let name = string(&tag["name"]);
        let mut operations = Vec::new();
        for (path, item) in members(&self.document["paths"]) {
            for (method, operation) in members(item) {
                let is_method = METHODS.contains(&method.as_str());
                if is_method && operation["tags"][0] == name.as_str() {
                    operations.push(self.operation(method, path, operation));
                }
            }
        }
        operations.sort_by_key(place);
        Tag { name, says: string(&tag["description"]), operations }
    }

    fn operation(&self, method: &str, path: &str, operation: &Value) -> Operation {
        let parameters = items(&operation["parameters"]).map(|value| self.parameter(value));
        let parameters: Vec<Parameter> = parameters.collect();
        let body = operation.get("requestBody").map(|body| self.resolve(body));
        let body = body.and_then(|body| content(&body["content"]));
        let mut answers: Vec<Answer> = members(&operation["responses"])
            .map(|(status, found)| answer(status, self.resolve(found)))
            .collect();
        answers.sort_by(|one, other| one.status.cmp(&other.status));
        let example = self.example(method, path, operation, &parameters, body.as_ref());
        Operation {
            id: format!("{}-{}", self.id, slug(&string(&operation["operationId"]))),
            method: method.to_uppercase(),
            path: path.to_owned(),
            summary: string(&operation["summary"]),
            says: string(&operation["description"]),
            parameters,
            body,
            answers,
            example,
        }
    }

    fn parameter(&self, parameter: &Value) -> Parameter {
        let parameter = self.resolve(parameter);
        let schema = &parameter["schema"];
        Parameter {
            name: string(&parameter["name"]),
            place: string(&parameter["in"]),
            is_required: parameter["required"] == true,
            says: string(&parameter["description"]),
            kind: Kind::of(schema),
            default: schema.get("default").map(plain),
            example: parameter.get("example").map(plain),
        }
    }

    /// The example of an operation: what its `x-example` says, and else the examples of what has
    /// to be given.
    fn example(
        &self,
        method: &str,
        path: &str,
        operation: &Value,
        parameters: &[Parameter],
        body: Option<&Content>,
    ) -> Option<Example> {
        let own = &operation["x-example"];
        let value_of = |name: &str| {
            let parameter = parameters.iter().find(|one| one.place == "path" && one.name == name);
            let given = own["path"].get(name).map(plain);
            given.or_else(|| parameter?.example.clone())
        };
        let mut url = self.address.trim_end_matches('/').to_owned();
        for segment in path.split('/').skip(1) {
            let name = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
            let text = match name {
                Some(name) => value_of(name)?,
                None => segment.to_owned(),
            };
            url.push('/');
            url += &encoded(&text);
        }
        let body = match body {
            Some(body) => Some((body.media_types.first()?.clone(), body.example.clone()?)),
            None => None,
        };
        let query = members(&own["query"]).map(|(name, value)| (name.clone(), plain(value)));
        let method = method.to_uppercase();
        // The first is what is answered where nothing else is asked for.
        let answer = members(&operation["responses"]["200"]["content"]).next();
        let is_binary = answer.is_some_and(|(_, content)| content["schema"]["format"] == "binary");
        Some(Example { method, url, query: query.collect(), body, is_binary })
    }

    fn schema(&self, name: &str, schema: &Value) -> Schema {
        let is_required =
            |member: &str| items(&schema["required"]).any(|required| required == member);
        let known = members(&schema["properties"]).map(|(name, member)| Member {
            name: name.clone(),
            is_required: is_required(name),
            says: string(&self.resolve(member)["description"]),
            kind: Kind::of(member),
        });
        let others = schema.get("additionalProperties").filter(|others| others.is_object());
        let others = others.map(|member| Member {
            name: "…".to_owned(),
            is_required: false,
            says: string(&self.resolve(member)["description"]),
            kind: Kind::of(member),
        });
        Schema {
            name: name.to_owned(),
            says: string(&schema["description"]),
            kind: Kind::of(schema),
            members: known.chain(others).collect(),
        }
    }

    /// What a reference leads to; our documents have no circles of them.
    fn resolve<'v>(&'v self, mut value: &'v Value) -> &'v Value {
        while let Some(reference) = value["$ref"].as_str() {
            let pointer = reference.strip_prefix('#').unwrap_or(reference);
            match self.document.pointer(pointer) {
                Some(target) => value = target,
                None => break,
            }
        }
        value
    }
}

fn answer(status: &str, answer: &Value) -> Answer {
    Answer {
        status: status.to_owned(),
        says: string(&answer["description"]),
        content: content(&answer["content"]),
        headers: members(&answer["headers"]).map(|(name, _)| name.clone()).collect(),
    }
}

/// What may be sent or comes back, in its media types.
fn content(content: &Value) -> Option<Content> {
    let (_, first) = members(content).next()?;
    Some(Content {
        media_types: members(content).map(|(name, _)| name.clone()).collect(),
        kind: Kind::of(&first["schema"]),
        example: first.get("example").cloned(),
    })
}

/// What removes something stands behind everything that needs it, a part before the whole.
fn place(operation: &Operation) -> (bool, isize) {
    let depth = isize::try_from(operation.path.matches('/').count()).unwrap_or(isize::MAX);
    let removes = operation.method == "DELETE";
    (removes, if removes { -depth } else { 0 })
}

/// A text as part of the id of an element.
pub(super) fn slug(text: &str) -> String {
    let kept = |c: char| if c.is_alphanumeric() { c } else { '-' };
    text.chars().map(kept).collect()
}

fn string(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

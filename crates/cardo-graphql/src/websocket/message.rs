use async_graphql::Request;
use serde::Deserialize;

/// What a client says.
#[derive(Debug)]
pub(super) enum Incoming {
    Init { authorization: Option<String> },
    Ping,
    Pong,
    Subscribe { id: String, request: Box<Request> },
    Complete { id: String },
}

#[derive(Deserialize)]
struct Raw {
    #[serde(rename = "type")]
    kind: String,
    id: Option<String>,
    payload: Option<serde_json::Value>,
}

impl Incoming {
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let raw: Raw =
            serde_json::from_str(text).map_err(|error| format!("Invalid message: {error}"))?;
        let id = || match &raw.id {
            Some(id) if !id.is_empty() => Ok(id.clone()),
            _ => Err(format!("{} needs an id", raw.kind)),
        };
        match raw.kind.as_str() {
            "connection_init" => Ok(Self::Init { authorization: authorization(&raw)? }),
            "ping" => Ok(Self::Ping),
            "pong" => Ok(Self::Pong),
            "complete" => Ok(Self::Complete { id: id()? }),
            "subscribe" => {
                let id = id()?;
                let payload = raw.payload.ok_or("subscribe needs a payload")?;
                if !payload.get("query").is_some_and(serde_json::Value::is_string) {
                    return Err("the payload of subscribe needs a query".to_owned());
                }
                let mut payload = payload;
                if let Some(members) = payload.as_object_mut() {
                    members.retain(|_, value| !value.is_null());
                }
                let request = serde_json::from_value(payload)
                    .map_err(|error| format!("Invalid payload: {error}"))?;
                Ok(Self::Subscribe { id, request: Box::new(request) })
            }
            other => {
                let shown: String = other.chars().take(40).collect();
                Err(format!("Invalid message type {shown:?}"))
            }
        }
    }
}

/// The `authorization` of the payload, by whatever case it is spelt; a bare token is a bearer's.
fn authorization(raw: &Raw) -> Result<Option<String>, String> {
    let Some(payload) = &raw.payload else { return Ok(None) };
    let Some(members) = payload.as_object() else {
        return if payload.is_null() {
            Ok(None)
        } else {
            Err("the payload is no object".to_owned())
        };
    };
    let given = members.iter().find(|(name, _)| name.eq_ignore_ascii_case("authorization"));
    match given {
        None => Ok(None),
        Some((_, serde_json::Value::String(text))) if text.contains(' ') => Ok(Some(text.clone())),
        Some((_, serde_json::Value::String(token))) => Ok(Some(format!("Bearer {token}"))),
        Some(_) => Err("authorization is no text".to_owned()),
    }
}

/// What the server says.
pub(super) mod outgoing {
    use async_graphql::Response;
    use serde_json::json;

    use crate::run;

    pub(crate) fn ack() -> String {
        r#"{"type":"connection_ack"}"#.to_owned()
    }

    pub(crate) fn pong() -> String {
        r#"{"type":"pong"}"#.to_owned()
    }

    pub(crate) fn next(id: &str, response: &Response) -> String {
        let payload = String::from_utf8_lossy(&run::to_bytes(response)).into_owned();
        format!(r#"{{"id":{},"type":"next","payload":{payload}}}"#, json!(id))
    }

    pub(crate) fn error(id: &str, response: &Response) -> String {
        json!({ "id": id, "type": "error", "payload": response.errors }).to_string()
    }

    pub(crate) fn complete(id: &str) -> String {
        json!({ "id": id, "type": "complete" }).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_those_of_the_protocol() {
        let init = r#"{"type":"connection_init","payload":{"Authorization":"t0"}}"#;
        let Ok(Incoming::Init { authorization }) = Incoming::read(init) else { panic!("no init") };
        assert_eq!(authorization.as_deref(), Some("Bearer t0"));
        let subscribe =
            r#"{"type":"subscribe","id":"1","payload":{"query":"{a}","variables":null}}"#;
        assert!(matches!(Incoming::read(subscribe), Ok(Incoming::Subscribe { .. })));
        for text in [
            "",
            "1",
            "{}",
            r#"{"type":"start"}"#,
            r#"{"type":"subscribe","payload":{"query":"{a}"}}"#,
            r#"{"type":"subscribe","id":"1"}"#,
            r#"{"type":"subscribe","id":"1","payload":{"query":1}}"#,
            r#"{"type":"connection_init","payload":[]}"#,
        ] {
            assert!(Incoming::read(text).is_err(), "{text}");
        }
    }
}

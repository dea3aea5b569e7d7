use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use serde_json::Value;
use tower::ServiceExt;

use super::Asker;
use crate::command::mention;

/// How much of an answer is read.
const MAX_ANSWER: usize = 1 << 20;
/// How much of it is shown.
const SHOWN: usize = 160;

/// A question that shows something of the city.
struct Question {
    asks: &'static str,
    path: &'static str,
    /// Which member of each entity of the answer is shown.
    shows: &'static str,
}

const QUESTIONS: [Question; 9] = [
    Question {
        asks: "what kinds of things does the city have?",
        path: "/ngsi-ld/v1/types",
        shows: "typeList",
    },
    Question {
        asks: "which trams are within 1 km of the central station now? (simulated)",
        path: "/ngsi-ld/v1/entities?type=Vehicle&georel=near;maxDistance==1000&geometry=Point\
               &coordinates=%5B24.9414,60.1719%5D&options=keyValues&count=true",
        shows: "name",
    },
    Question {
        asks: "in which district is that station?",
        path: "/ngsi-ld/v1/entities?type=District&georel=contains&geometry=Point\
               &coordinates=%5B24.9414,60.1719%5D&options=keyValues&count=true",
        shows: "name",
    },
    Question {
        asks: "which bike stations have 30 slots or more?",
        path: "/ngsi-ld/v1/entities?type=BikeHireDockingStation&q=totalSlotNumber%3E=30\
               &options=keyValues&count=true",
        shows: "name",
    },
    Question {
        asks: "which buildings have seven floors or more?",
        path: "/ngsi-ld/v1/entities?type=Building&q=floorsAboveGround%3E=7\
               &options=keyValues&count=true",
        shows: "name",
    },
    Question {
        asks: "how warm was it in Kumpula in the last three hours on record?",
        path: "/ngsi-ld/v1/temporal/entities/urn:ngsi-ld:WeatherObserved:fmi-101004\
               ?attrs=temperature&lastN=3&options=temporalValues",
        shows: "temperature",
    },
    Question {
        asks: "what can a GIS open? (OGC API Features)",
        path: "/ogc/collections",
        shows: "id",
    },
    Question {
        asks: "which buildings stand around the Senate Square? (OGC API Features)",
        path: "/ogc/collections/Building/items?bbox=24.95,60.168,24.955,60.171&limit=5",
        shows: "name",
    },
    Question {
        asks: "which bike stations are the largest? (GraphQL)",
        path: "/graphql?query={bikeHireDockingStationList(first:3,orderBy:\
               [{field:totalSlotNumber,direction:DESC}]){totalCount,nodes{id,name,totalSlotNumber}}}",
        shows: "name",
    },
];

/// Asks each question and prints its address and the answer in short; how many went wrong.
pub(crate) async fn ask_all(asker: &Asker) -> usize {
    let mut wrong = 0;
    for question in &QUESTIONS {
        mention(format_args!("\n  {}\n  {}{}\n", question.asks, asker.base, question.path));
        match ask(asker, question).await {
            Ok(answer) => mention(format_args!("    → {answer}\n")),
            Err(reason) => {
                wrong += 1;
                mention(format_args!("    → no answer: {reason}\n"));
            }
        }
    }
    wrong
}

async fn ask(asker: &Asker, question: &Question) -> Result<String, String> {
    let request = Request::get(encoded(question.path)).body(Body::empty());
    let request = request.map_err(|error| error.to_string())?;
    let Ok(answer) = asker.router.clone().oneshot(request).await;
    let (parts, body) = answer.into_parts();
    let bytes = to_bytes(body, MAX_ANSWER).await.map_err(|error| error.to_string())?;
    let answer: Value = serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
    if parts.status != StatusCode::OK {
        return Err(format!("{}: {}", parts.status, answer["detail"]));
    }
    if let Some(error) = answer.get("errors") {
        return Err(error.to_string());
    }
    let answer = of_graph(&answer).unwrap_or(answer);
    let count = parts.headers.get("ngsild-results-count").and_then(|value| value.to_str().ok());
    let count = count.map(str::to_owned).or_else(|| Some(answer.get("numberMatched")?.to_string()));
    let shown = shortened(&shown(&answer, question.shows));
    Ok(match count {
        Some(count) => format!("{count}: {shown}"),
        None => shown,
    })
}

/// Brackets are not allowed in a request line, though every client takes them.
fn encoded(path: &str) -> String {
    path.replace('[', "%5B").replace(']', "%5D").replace('{', "%7B").replace('}', "%7D")
}

/// The first page of a GraphQL answer, in the form of the others.
fn of_graph(answer: &Value) -> Option<Value> {
    let page = answer.get("data")?.as_object()?.values().next()?;
    Some(serde_json::json!({ "numberMatched": page["totalCount"], "features": page["nodes"] }))
}

fn shown(answer: &Value, member: &str) -> String {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let named = |things: &[Value]| {
        let name = |thing: &Value| {
            let named = thing.get(member).or_else(|| thing["properties"].get(member));
            text(named.unwrap_or(&thing["id"]))
        };
        things.iter().map(name).collect::<Vec<_>>().join(", ")
    };
    let list = answer.get("features").or_else(|| answer.get("collections")).unwrap_or(answer);
    match list {
        Value::Array(things) => named(things),
        Value::Object(_) => match &answer[member] {
            Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(", "),
            other => text(other),
        },
        other => text(other),
    }
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= SHOWN {
        return text.to_owned();
    }
    let begin: String = text.chars().take(SHOWN).collect();
    format!("{begin} …")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn answers_are_shown_in_a_line() {
        assert_eq!(shown(&json!([{"id": "a", "name": "x"}, {"id": "b"}]), "name"), "x, b");
        let feature = json!({"id": "a", "properties": {"name": "x"}});
        assert_eq!(shown(&json!({"features": [feature]}), "name"), "x");
        assert_eq!(shown(&json!({"typeList": ["A", "B"]}), "typeList"), "A, B");
        assert_eq!(shortened(&"ä".repeat(SHOWN + 1)), format!("{} …", "ä".repeat(SHOWN)));
    }

    #[test]
    fn every_question_is_an_address() {
        for question in &QUESTIONS {
            let address = encoded(question.path);
            assert!(address.parse::<axum::http::Uri>().is_ok(), "{address}");
        }
    }
}

//! Entities that are found by their history (clause 5.7.4), and what is made of it (4.5.19).

use cardo_ngsild::{NgsildLimits, NgsildOptions};
use serde_json::{Value, json};

use crate::client::{Client, client, client_with};

const DAY: &str = "timerel=between&timeAt=2026-03-01T00:00:00Z&endTimeAt=2026-03-02T00:00:00Z";

fn at(value: impl Into<Value>, time: &str) -> Value {
    json!({ "type": "Property", "value": value.into(), "observedAt": format!("2026-{time}Z") })
}

fn place(longitude: f64, time: &str) -> Value {
    json!({ "type": "GeoProperty", "value": { "type": "Point", "coordinates": [longitude, 60.0] },
        "observedAt": format!("2026-{time}Z") })
}

/// Three that are known by their history alone, and one that is in the twin.
async fn fleet() -> Client {
    fill(client().await).await
}

async fn fill(client: Client) -> Client {
    for entity in [
        json!({ "id": "urn:v:c", "type": "Vehicle",
            "speed": [at(30, "03-01T12:00:00"), at(90, "01-05T00:00:00")],
            "location": [place(24.0, "03-01T12:00:00"), place(10.0, "01-05T00:00:00")] }),
        json!({ "id": "urn:v:b", "type": "Vehicle",
            "speed": [at(10, "03-01T12:00:00"), at(80, "01-05T00:00:00")], "heading": at(120, "03-01T13:00:00") }),
        json!({ "id": "urn:v:a", "type": "Bus", "speed": [at(50, "01-05T00:00:00")] }),
    ] {
        client.post("/temporal/entities", entity).await.expect(201);
    }
    client
        .create(json!({ "id": "urn:v:d", "type": "Vehicle", "speed": at(60, "03-01T14:00:00") }))
        .await;
    client
}

async fn found(client: &Client, query: &str) -> Vec<String> {
    client.get(&format!("/temporal/entities?{query}&{DAY}")).await.expect(200).ids()
}

#[tokio::test]
async fn entities_are_found_by_what_was_in_a_range_of_time() {
    let client = fleet().await;
    assert_eq!(found(&client, "type=Vehicle").await, ["urn:v:c", "urn:v:b", "urn:v:d"]);
    assert_eq!(found(&client, "type=Bus,Vehicle&attrs=heading").await, ["urn:v:b"]);
    assert_eq!(found(&client, "type=Vehicle&id=urn:v:b,urn:v:d").await, ["urn:v:b", "urn:v:d"]);
    assert_eq!(found(&client, "type=Vehicle&idPattern=c$").await, ["urn:v:c"]);
    assert_eq!(found(&client, "type=Vehicle&q=speed%3E25").await, ["urn:v:c", "urn:v:d"]);
    assert_eq!(found(&client, "type=Vehicle&q=speed%3E25%7Cheading%3E100").await.len(), 3);
    assert_eq!(found(&client, "type=Vehicle&q=!heading;speed%3E25").await.len(), 2);
    let near = "georel=near;maxDistance==1000&geometry=Point&coordinates=[24.0,60.0]";
    assert_eq!(found(&client, &format!("type=Vehicle&{near}")).await, ["urn:v:c"]);
    let far = "georel=near;maxDistance==1000&geometry=Point&coordinates=[10.0,60.0]";
    assert!(found(&client, &format!("type=Vehicle&{far}")).await.is_empty());
    assert_eq!(found(&client, "local=true").await.len(), 3);
    let order = found(&client, "type=Vehicle&orderBy=id;desc").await;
    assert_eq!(order, ["urn:v:d", "urn:v:c", "urn:v:b"]);
    let list = client.get(&format!("/temporal/entities?type=Vehicle&q=speed%3E25&{DAY}")).await;
    assert_eq!(list.json()[0]["speed"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_was_deleted_is_found_as_well_and_projected_history_too() {
    let client = fleet().await;
    client.delete("/entities/urn:v:d").await.expect(204);
    assert_eq!(found(&client, "type=Vehicle&id=urn:v:d").await, ["urn:v:d"]);
    client.engine.project_all().await.unwrap();
    assert_eq!(found(&client, "type=Vehicle").await.len(), 3);
    let gone = "/temporal/entities?type=Vehicle&timeproperty=deletedAt&timerel=after&timeAt=2000-01-01T00:00:00Z";
    assert!(client.get(gone).await.expect(200).ids().is_empty());
    client
        .create(json!({ "id": "urn:v:d", "type": "Vehicle", "speed": at(61, "03-01T15:00:00") }))
        .await;
    let list = client.get(&format!("/temporal/entities?type=Vehicle&id=urn:v:d&{DAY}")).await;
    assert_eq!(list.expect(200).json()[0]["speed"].as_array().unwrap().len(), 2);
    client.delete("/entities/urn:v:d/attrs/speed").await.expect(204);
    assert_eq!(client.get(gone).await.expect(200).ids(), ["urn:v:d"]);
}

#[tokio::test]
async fn pages_of_histories_point_to_one_another_and_are_counted() {
    let client = fleet().await;
    let path = format!("/temporal/entities?type=Vehicle&count=true&limit=1&offset=1&{DAY}");
    let reply = client.get(&path).await.expect(200);
    assert_eq!(
        (reply.header("ngsild-results-count"), reply.ids()),
        ("3", vec!["urn:v:b".to_owned()])
    );
    let links = reply.headers.get_all("link").iter().map(|link| link.to_str().unwrap());
    let links: Vec<&str> = links.filter(|link| link.contains("offset")).collect();
    assert!(links[0].contains("offset=2") && links[0].contains("rel=\"next\""), "{links:?}");
    assert!(links[1].contains("offset=0") && links[1].contains("rel=\"prev\""), "{links:?}");
    assert!(found(&client, "type=Vehicle&offset=9").await.is_empty());
    let none =
        client.get(&format!("/temporal/entities?type=Vehicle&count=true&limit=0&{DAY}")).await;
    assert_eq!((none.header("ngsild-results-count"), none.text.as_str()), ("3", "[]"));
}

#[tokio::test]
async fn a_question_may_be_posted() {
    let client = fleet().await;
    let ask = |temporal: Value, more: Value| {
        let mut body =
            json!({ "type": "Query", "entities": [{ "type": "Vehicle" }], "temporalQ": temporal });
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        client.post("/temporal/entityOperations/query", body)
    };
    let day = json!({ "timerel": "between", "timeAt": "2026-03-01T00:00:00Z", "endTimeAt": "2026-03-02T00:00:00Z" });
    let reply = ask(day.clone(), json!({ "q": "speed>25", "attrs": ["speed"] })).await.expect(200);
    assert_eq!(reply.ids(), ["urn:v:c", "urn:v:d"]);
    let last = json!({ "timerel": "after", "timeAt": "2000-01-01T00:00:00Z", "lastN": 1 });
    let reply = ask(last, json!({})).await.expect(200).json();
    assert_eq!(reply[0]["speed"], json!([reply[0]["speed"][0]]));
    let params = json!({ "aggrParams": { "aggrMethods": ["avg"], "aggrPeriodDuration": "PT0S" } });
    let reply = ask(day, params).await.expect(200).json();
    assert_eq!(reply[0]["speed"]["avg"][0][0], 30.0);
    let after = |name: &str, value: Value| {
        let mut query = json!({ "timerel": "after", "timeAt": "2000-01-01T00:00:00Z" });
        query[name] = value;
        query
    };
    for (temporal, detail) in [
        (after("lastN", json!(0)), "lastN"),
        (after("lastN", json!(1.5)), "lastN"),
        (after("timerel", json!("around")), "around"),
        (after("timerel", json!("between")), "endTimeAt"),
        (after("timeproperty", json!("seenAt")), "seenAt"),
        (after("aggrPeriodDuration", json!(5)), "aggrPeriodDuration"),
        (after("when", json!(5)), "when"),
        (json!({}), "timerel"),
    ] {
        ask(temporal, json!({})).await.expect_problem(400, "BadRequestData", detail);
    }
}

#[tokio::test]
async fn scopes_select_entities_and_the_instances_of_their_validity() {
    let client = client().await;
    let scope = |value: Value, hour: u32| json!({ "type": "Property", "value": value, "observedAt": format!("2026-03-01T{hour}:00:00Z") });
    for (id, scopes, hours) in [
        ("urn:v:early", vec![scope(json!("/A/B"), 10)], vec![12]),
        (
            "urn:v:moved",
            vec![scope(json!("/R"), 10), scope(json!(["/S", "/A/B"]), 13)],
            vec![12, 14],
        ),
        ("urn:v:late", vec![scope(json!("/A/B"), 20)], vec![12]),
    ] {
        let speeds: Vec<Value> =
            hours.iter().map(|hour| at(*hour, &format!("03-01T{hour}:30:00"))).collect();
        let entity = json!({ "id": id, "type": "V", "scope": scopes, "speed": speeds });
        client.post("/temporal/entities", entity).await.expect(201);
    }
    let window = "timerel=between&timeAt=2026-03-01T12:00:00Z&endTimeAt=2026-03-01T15:00:00Z";
    let ask = async |scope_q: &str| {
        let path =
            format!("/temporal/entities?type=V&{window}&options=temporalValues&scopeQ={scope_q}");
        let list = client.get(&path).await.expect(200).json();
        let shown = |entity: &Value| {
            let values = entity["speed"]["values"].as_array().unwrap();
            (
                entity["id"].as_str().unwrap().to_owned(),
                values.len(),
                values[0][0].as_i64().unwrap(),
            )
        };
        list.as_array().unwrap().iter().map(shown).collect::<Vec<_>>()
    };
    let (early, moved) = ("urn:v:early".to_owned(), "urn:v:moved".to_owned());
    assert_eq!(ask("/A/B").await, [(early.clone(), 1, 12), (moved.clone(), 1, 14)]);
    assert_eq!(ask("/R").await, [(moved.clone(), 1, 12)]);
    assert_eq!(ask("/A/%23").await, [(early, 1, 12), (moved, 1, 14)]);
    assert!(ask("/Z").await.is_empty());
}

#[tokio::test]
async fn an_attribute_that_no_method_is_for_is_refused_where_it_is_asked_for() {
    let client = client().await;
    let entity = json!({ "id": "urn:v:1", "type": "V", "name": [at("b", "08-01T12:03:00")], "speed": [at(3, "08-01T12:03:00")] });
    client.post("/temporal/entities", entity).await.expect(201);
    let ask = async |query: &str| {
        let range = "timerel=after&timeAt=2026-01-01T00:00:00Z&format=aggregatedValues";
        client.get(&format!("/temporal/entities?type=V&{range}&{query}")).await
    };
    for query in ["attrs=name&aggrMethods=avg", "pick=id,name,speed&aggrMethods=sum,stddev"] {
        ask(query).await.expect_problem(400, "InvalidRequest", "/name");
    }
    let all = ask("aggrMethods=avg").await.expect(200).json();
    assert_eq!((&all[0]["speed"]["avg"][0][0], all[0].get("name")), (&json!(3.0), None));
    ask("attrs=name&aggrMethods=avg,max").await.expect(200);
}

#[tokio::test]
async fn aggregates_are_made_of_each_period() {
    let client = client().await;
    let speeds = [(120, "08-01T12:03:00"), (80, "08-01T12:05:00"), (100, "08-01T14:07:00")];
    let speeds: Vec<Value> = speeds.iter().map(|(value, time)| at(*value, time)).collect();
    let other = json!({ "type": "Property", "value": 1, "datasetId": "urn:d", "observedAt": "2026-08-01T12:03:00Z" });
    let entity = json!({ "id": "urn:v:1", "type": "V", "speed": [speeds[0], speeds[1], speeds[2], other],
        "name": [at("b", "08-01T12:03:00"), at("a", "08-01T12:04:00")],
        "on": [at(true, "08-01T12:03:00"), at(false, "08-01T12:04:00")],
        "tags": [at(json!([1, 2]), "08-01T12:03:00")],
        "near": { "type": "Relationship", "object": "urn:v:2", "observedAt": "2026-08-01T12:03:00Z" } });
    client.post("/temporal/entities", entity).await.expect(201);
    let ask = async |query: &str| {
        let path = format!("/temporal/entities/urn:v:1?format=aggregatedValues&{query}");
        client.get(&path).await.expect(200).json()
    };
    let hours = ask("aggrMethods=avg,totalCount&aggrPeriodDuration=PT1H&datasetId=@none").await;
    assert_eq!(
        hours["speed"],
        json!({ "type": "Property",
            "avg": [[100.0, "2026-08-01T12:03:00Z", "2026-08-01T13:03:00Z"],
                [100.0, "2026-08-01T14:03:00Z", "2026-08-01T15:03:00Z"]],
            "totalCount": [[2, "2026-08-01T12:03:00Z", "2026-08-01T13:03:00Z"],
                [1, "2026-08-01T14:03:00Z", "2026-08-01T15:03:00Z"]] })
    );
    assert_eq!(
        hours["near"],
        json!({ "type": "Relationship", "totalCount": [[1, "2026-08-01T12:03:00Z", "2026-08-01T13:03:00Z"]] })
    );
    let all = ask("aggrMethods=totalCount,distinctCount,sum,min,max,stddev,sumsq").await;
    let first = |attribute: &str, method: &str| all[attribute][method][0][0].clone();
    let both = all["speed"].as_array().unwrap();
    assert_eq!((&both[1]["datasetId"], &both[1]["sum"][0][0]), (&json!("urn:d"), &json!(1.0)));
    assert_eq!(
        (&both[0]["sum"][0][0], &both[0]["sumsq"][0][0], &both[0]["min"][0][0]),
        (&json!(300.0), &json!(30_800.0), &json!(80.0))
    );
    assert_eq!((first("name", "min"), first("name", "sum")), (json!("a"), Value::Null));
    assert_eq!((first("on", "sum"), first("tags", "max")), (json!(1.0), json!(2.0)));
    assert_eq!((first("on", "distinctCount"), first("tags", "sumsq")), (json!(2), Value::Null));
    // A range that has both ends has so many periods, and each is told of (clause 4.5.19.0).
    let range = "timerel=between&timeAt=2026-08-01T12:00:00Z&endTimeAt=2026-08-01T15:30:00Z";
    let methods = "totalCount,distinctCount,sum,sumsq,avg,min,max,stddev";
    let every = format!("aggrMethods={methods}&aggrPeriodDuration=PT1H&datasetId=@none&{range}");
    let every = ask(&every).await;
    let period = |value: &Value, hour: u32, until: &str| {
        json!([value, format!("2026-08-01T{hour}:00:00Z"), format!("2026-08-01T{until}:00Z")])
    };
    let nothing = "urn:ngsi-ld:null";
    for (attribute, method, values) in [
        ("speed", "totalCount", json!([2, 0, 1, 0])),
        ("speed", "distinctCount", json!([2, 0, 1, 0])),
        ("speed", "sum", json!([200.0, 0.0, 100.0, 0.0])),
        ("speed", "sumsq", json!([20_800.0, 0.0, 10_000.0, 0.0])),
        ("speed", "avg", json!([100.0, nothing, 100.0, nothing])),
        ("speed", "min", json!([80.0, nothing, 100.0, nothing])),
        ("speed", "max", json!([120.0, nothing, 100.0, nothing])),
        ("speed", "stddev", json!([20.0, nothing, 0.0, nothing])),
        ("name", "max", json!(["b", nothing, nothing, nothing])),
        ("near", "totalCount", json!([1, 0, 0, 0])),
    ] {
        let ends = ["13:00", "14:00", "15:00", "15:30"];
        let all = values.as_array().unwrap().iter().zip(12_u32..).zip(ends);
        let expected: Vec<Value> = all.map(|((v, hour), end)| period(v, hour, end)).collect();
        assert_eq!(every[attribute][method], json!(expected), "{attribute} {method}");
    }
    assert_eq!(every["name"].get("sum"), None, "no method makes what it is not for");
    let short =
        format!("format=aggregatedValues&aggrMethods=sum&aggrPeriodDuration=PT0.01S&{range}");
    client.get(&format!("/temporal/entities/urn:v:1?{short}")).await.expect(400);
    let many = "timerel=between&timeAt=2000-01-01T00:00:00Z&endTimeAt=2030-01-01T00:00:00Z";
    let many = format!("format=aggregatedValues&aggrMethods=sum&aggrPeriodDuration=PT1S&{many}");
    for path in ["/temporal/entities/urn:v:1?", "/temporal/entities?type=V&"] {
        let reply = client.get(&format!("{path}{many}")).await;
        reply.expect_problem(403, "TooManyResults", "periods");
    }
    let months = "timerel=between&timeAt=2026-07-31T00:00:00Z&endTimeAt=2026-08-15T00:00:00Z";
    let month = ask(&format!("aggrMethods=max&aggrPeriodDuration=P1M&attrs=name&{months}")).await;
    assert_eq!(
        month["name"]["max"],
        json!([["b", "2026-07-31T00:00:00Z", "2026-08-15T00:00:00Z"]])
    );
}

#[tokio::test]
async fn a_long_answer_is_cut_at_one_moment_and_says_where() {
    let limits = NgsildLimits { history_rows: 4, ..NgsildLimits::default() };
    let client = client_with(NgsildOptions { limits, ..NgsildOptions::default() }).await;
    let rows = |first: u32| -> Vec<Value> {
        (first..first + 5).map(|minute| at(minute, &format!("01-01T01:{minute:02}:00"))).collect()
    };
    for (id, first) in [("urn:v:1", 1), ("urn:v:2", 2)] {
        let entity =
            json!({ "id": id, "type": "V", "speed": rows(first), "fuel": rows(first + 20) });
        client.post("/temporal/entities", entity).await.expect(201);
    }
    let moment = |minute: u32| format!("2026-01-01T01:{minute:02}:00Z");
    let ask = async |query: &str| {
        let reply = client.get(&format!("/temporal/entities/urn:v:1?{query}")).await.expect(206);
        (reply.header("content-range").to_owned(), reply.json())
    };
    let after = "timerel=after&timeAt=2026-01-01T00:00:00Z";
    let (range, entity) = ask(after).await;
    assert_eq!(range, format!("DateTime 2026-01-01T00:00:00Z-{}/*", moment(4)));
    assert_eq!((entity["speed"].as_array().unwrap().len(), &entity["fuel"]), (4, &json!([])));
    let (range, entity) = ask("lastN=100&timerel=before&timeAt=2027-01-01T00:00:00Z").await;
    assert_eq!(range, format!("DateTime 2027-01-01T00:00:00Z-{}/100", moment(22)));
    assert_eq!((&entity["speed"], entity["fuel"].as_array().unwrap().len()), (&json!([]), 4));
    // All entities of a page are cut at the same moment.
    let reply = client.get(&format!("/temporal/entities?type=V&{after}")).await.expect(206);
    assert_eq!(
        reply.header("content-range"),
        format!("DateTime 2026-01-01T00:00:00Z-{}/*", moment(3))
    );
    let lengths: Vec<usize> = reply
        .json()
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["speed"].as_array().unwrap().len())
        .collect();
    assert_eq!(lengths, [3, 2]);
    // Going on from there leads to all of it.
    let mut seen = std::collections::BTreeSet::new();
    let mut from = "2026-01-01T00:00:00Z".to_owned();
    loop {
        let path = format!("/temporal/entities/urn:v:1?timerel=after&timeAt={from}");
        let reply = client.get(&path).await;
        let entity = reply.json();
        for attribute in ["speed", "fuel"] {
            let instances = entity[attribute].as_array().into_iter().flatten();
            seen.extend(instances.map(|instance| instance["value"].as_i64().unwrap()));
        }
        if reply.status != 206 {
            break;
        }
        from = reply.header("content-range").split('-').skip(3).collect::<Vec<_>>().join("-");
        from.truncate(from.len() - 2);
    }
    assert_eq!(seen.len(), 10);
    let aggregated = client
        .get("/temporal/entities/urn:v:1?format=aggregatedValues&aggrMethods=totalCount")
        .await;
    assert_eq!(aggregated.expect(200).json()["speed"]["totalCount"][0][0], 5);
}

#[tokio::test]
async fn a_moment_is_told_whole_however_much_was_then_and_pages_lead_beyond_it() {
    let limits = NgsildLimits { history_rows: 4, ..NgsildLimits::default() };
    let client = client_with(NgsildOptions { limits, ..NgsildOptions::default() }).await;
    let rows = |minute: u32, values: std::ops::Range<u32>| -> Vec<Value> {
        let of = |value: u32| {
            let mut one = at(value, &format!("01-01T01:{minute:02}:00"));
            one["datasetId"] = json!(format!("urn:d:{value}"));
            one
        };
        values.map(of).collect()
    };
    let all = [rows(0, 0..1), rows(1, 1..8), rows(2, 8..15), rows(3, 15..16)].concat();
    for id in ["urn:v:1", "urn:v:2"] {
        let entity = json!({ "id": id, "type": "V", "speed": all });
        client.post("/temporal/entities", entity).await.expect(201);
    }
    for path in ["/temporal/entities/urn:v:1?", "/temporal/entities?type=V&"] {
        for is_backward in [false, true] {
            let mut seen = std::collections::BTreeSet::new();
            let mut from =
                if is_backward { "2027" } else { "2025" }.to_owned() + "-01-01T00:00:00Z";
            let mut pages = 0;
            loop {
                let query = if is_backward {
                    format!("timerel=before&timeAt={from}&lastN=100")
                } else {
                    format!("timerel=after&timeAt={from}")
                };
                let reply = client.get(&format!("{path}{query}")).await;
                let body = reply.json();
                let entities = body.as_array().cloned().unwrap_or_else(|| vec![body]);
                let instances = entities.iter().filter_map(|e| e["speed"].as_array()).flatten();
                seen.extend(instances.map(|instance| instance["value"].as_i64().unwrap()));
                pages += 1;
                assert!(pages < 9, "{path}{query}");
                if reply.status != 206 {
                    break;
                }
                from =
                    reply.header("content-range").split('-').skip(3).collect::<Vec<_>>().join("-");
                from.truncate(from.find('/').unwrap());
            }
            assert_eq!(seen.len(), 16, "{path} {is_backward}");
        }
    }
}

#[tokio::test]
async fn questions_that_break_a_rule_are_refused() {
    let client = fleet().await;
    for (query, detail) in [
        (DAY.to_owned(), "wide"),
        (format!("id=urn:v:a&{DAY}"), "wide"),
        (format!("attrs=createdAt&{DAY}"), "wide"),
        ("type=Vehicle".to_owned(), "timerel"),
        (format!("type=Vehicle&orderBy=speed&{DAY}"), "orderBy"),
        (format!("type=Vehicle&q=owner%7Bname%7D==%22x%22&{DAY}"), "owner"),
        (format!("type=Vehicle&pick=owner%7Bname%7D&{DAY}"), "linked"),
        (format!("type=Vehicle&id=none&{DAY}"), "none"),
        (format!("type=Vehicle&limit=0&{DAY}"), "limit"),
        (format!("type=Vehicle&csf=))bad((&{DAY}"), "character"),
    ] {
        let reply = client.get(&format!("/temporal/entities?{query}")).await;
        reply.expect_problem(400, "BadRequestData", detail);
    }
}

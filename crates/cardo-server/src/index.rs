//! The index for programs: every face with its address and questions to try.

use serde_json::{Value, json};

/// A face of the server.
struct Face {
    name: &'static str,
    path: &'static str,
    standard: &'static str,
    samples: &'static [Sample],
}

/// A question that can be asked of a face.
struct Sample {
    asks: &'static str,
    path: &'static str,
}

const FACES: &[Face] = &[
    Face {
        name: "NGSI-LD",
        path: "/ngsi-ld/v1",
        standard: "ETSI GS CIM 009 v1.9.1",
        samples: &[
            Sample { asks: "which types there are", path: "/ngsi-ld/v1/types" },
            Sample {
                asks: "how many entities there are, and the first of them",
                path: "/ngsi-ld/v1/entities?local=true&limit=5&count=true&options=concise",
            },
            Sample {
                asks: "which operations there are (OpenAPI)",
                path: "/ngsi-ld/v1/openapi.json",
            },
        ],
    },
    Face {
        name: "OGC API",
        path: "/ogc",
        standard: "OGC API - Features - Part 1: Core (OGC 17-069r4)",
        samples: &[
            Sample { asks: "which collections there are", path: "/ogc/collections" },
            Sample { asks: "which operations there are", path: "/ogc/api?f=html" },
        ],
    },
    Face {
        name: "GraphQL",
        path: "/graphql",
        standard: "GraphQL October 2021, over HTTP and WebSocket (graphql-transport-ws)",
        samples: &[
            Sample { asks: "anything, with GraphiQL", path: "/graphql" },
            Sample {
                asks: "the first entities of any type",
                path: "/graphql?query=%7Bentities(first:5)%7BtotalCount%20nodes%7Bid%20type%7D%7D%7D",
            },
        ],
    },
];

const OPERATIONS: &[(&str, &str)] = &[
    ("/reference", "every operation, with examples in curl, JavaScript and Python"),
    ("/health", "whether the process runs"),
    ("/ready", "whether the store takes writes"),
    ("/metrics", "figures for Prometheus"),
    ("/sources", "how the sources of the configuration are"),
    ("/names", "which names stand for which types and attributes in OGC API and GraphQL"),
];

/// The index for programs.
pub(crate) fn json(notice: Option<&str>) -> Value {
    let faces: Vec<Value> = FACES
        .iter()
        .map(|face| {
            let questions: Vec<Value> = face
                .samples
                .iter()
                .map(|sample| json!({ "asks": sample.asks, "href": sample.path }))
                .collect();
            json!({
                "name": face.name,
                "href": face.path,
                "standard": face.standard,
                "questions": questions,
            })
        })
        .collect();
    let operations: Vec<Value> =
        OPERATIONS.iter().map(|(path, says)| json!({ "href": path, "says": says })).collect();
    let mut index = json!({
        "title": "Cardo",
        "version": env!("CARGO_PKG_VERSION"),
        "faces": faces,
        "operations": operations,
    });
    if let Some(notice) = notice {
        index["notice"] = notice.into();
    }
    index
}

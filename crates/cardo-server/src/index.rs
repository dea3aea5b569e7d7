//! The first page: every face with its address and a question to try.

use std::fmt::Write;

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
        .map(|face| json!({ "name": face.name, "href": face.path, "standard": face.standard }))
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

/// The index for people.
pub(crate) fn html(notice: Option<&str>) -> String {
    let mut body = String::new();
    if let Some(notice) = notice {
        let _ = writeln!(body, "<p class=\"notice\">{}</p>", escaped(notice));
    }
    for face in FACES {
        let (name, path, standard) =
            (escaped(face.name), escaped(face.path), escaped(face.standard));
        let _ = writeln!(body, "<h2>{name}</h2>\n<p><code>{path}</code> · {standard}</p>\n<ul>");
        for sample in face.samples {
            let _ = writeln!(body, "<li>{}: {}</li>", escaped(sample.asks), link(sample.path));
        }
        body.push_str("</ul>\n");
    }
    body.push_str("<h2>Operations</h2>\n<ul>\n");
    for (path, says) in OPERATIONS {
        let _ = writeln!(body, "<li>{}: {}</li>", link(path), escaped(says));
    }
    body.push_str("</ul>\n");
    let page = include_str!("index.html").replace("{version}", env!("CARGO_PKG_VERSION"));
    page.replace("{body}", &body)
}

fn link(path: &str) -> String {
    let path = escaped(path);
    format!("<a href=\"{path}\"><code>{path}</code></a>")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

//! Names that a context expanded are terms again where clients bring no context.

use serde_json::{Value, json};
use tempfile::tempdir;

use crate::support::{ENTITIES, Server, path_of};

const CONTEXT: &str = "https://contexts.invalid/trees.jsonld";
const TREE: &str = r#"{"id": "urn:t:1", "type": "Tree",
    "species": {"vocab": "Tilia"}, "places": {"vocab": ["street", "park"]},
    "crown": {"value": {"width": 3, "colour": "green"}}, "note": {"value": "https://trees.example/Tilia"}}"#;

fn graphql(server: &Server, query: &str) -> Value {
    let body = json!({ "query": query }).to_string();
    let answer = server.send("POST", "/graphql", Some(&body)).json();
    assert_eq!(answer.get("errors"), None, "{query}: {answer}");
    answer["data"].clone()
}

fn put(server: &Server, body: &str) {
    let link = format!(
        "<{CONTEXT}>; rel=\"http://www.w3.org/ns/json-ld#context\"; type=\"application/ld+json\""
    );
    let answer = server.connect().send("POST", ENTITIES, &[("Link", &link)], Some(body));
    let answer = answer.expect("the server answers");
    assert_eq!(answer.status, 201, "{}", answer.text());
}

#[test]
fn names_in_values_are_terms_in_ogc_and_graphql_and_can_be_asked_for_and_given_so() {
    let folder = tempdir().expect("a folder");
    let terms = ["Tree", "species", "crown", "width", "Tilia", "Acer", "park"];
    let terms: serde_json::Map<_, _> = terms
        .into_iter()
        .map(|term| (term.to_owned(), format!("https://trees.example/{term}").into()))
        .collect();
    let context = json!({ "@context": terms });
    let file = folder.path().join("trees.jsonld");
    std::fs::write(&file, context.to_string()).expect("a context");
    let config = folder.path().join("cardo.toml");
    let text =
        format!("[contexts]\n\"{CONTEXT}\" = \"trees.jsonld\"\n[names]\ncontext = \"{CONTEXT}\"\n");
    std::fs::write(&config, text).expect("a configuration");
    let config = config.to_str().expect("a path in UTF-8");
    let server = Server::start_with(&folder.path().join("data"), &["--config", config]);
    put(&server, TREE);

    let shown = json!({
        "species": "Tilia", "places": ["street", "park"],
        "crown": { "width": 3, "colour": "green" }, "note": "https://trees.example/Tilia"
    });
    let items = server.get("/ogc/collections/Tree/items");
    assert_eq!(items["features"][0]["properties"], shown);
    let page = server.send("GET", "/ogc/collections/Tree/items?f=html", None).text();
    assert!(page.contains("Tilia") && !page.contains("trees.example/width"), "{page}");
    let fields = "species places crown note";
    let data = graphql(&server, &format!("{{ tree(id: \"urn:t:1\") {{ {fields} }} }}"));
    assert_eq!(data["tree"], shown);

    for (name, count) in [("Tilia", 1), ("https://trees.example/Tilia", 1), ("Acer", 0)] {
        let items = server.get(&format!("/ogc/collections/Tree/items?species={name}"));
        assert_eq!(items["numberMatched"], count, "{name}");
        for filter in [format!("eq: \"{name}\""), format!("in: [\"Ulmus\", \"{name}\"]")] {
            let query =
                format!("{{ treeList(filter: {{ species: {{ {filter} }} }}) {{ totalCount }} }}");
            assert_eq!(graphql(&server, &query)["treeList"]["totalCount"], count, "{filter}");
        }
    }

    let merge = "mutation { mergeTree(id: \"urn:t:1\", input: { species: \"Acer\" }) { species } }";
    assert_eq!(graphql(&server, merge)["mergeTree"]["species"], "Acer");
    let plain = server.get(&path_of("urn:t:1"));
    assert_eq!(plain["https://trees.example/species"]["vocab"], "https://trees.example/Acer");
}

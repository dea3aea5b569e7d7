//! What leads to vector tiles and describes them (OGC 20-057, OGC 17-083r4).

use axum::http::Method;
use serde_json::{Value, json};

use crate::client::client_of_town;
use crate::tiles::{MVT, tile};

#[tokio::test]
async fn tl1_to_tl8_tl15_tl16_the_tilesets_lead_to_their_tiles() {
    let client = client_of_town().await;
    let rel = "http://www.opengis.net/def/rel/ogc/1.0/tilesets-vector";
    let link = |body: &Value, rel: &str| {
        let links = body["links"].as_array().unwrap();
        links.iter().find(|l| l["rel"] == rel).unwrap_or_else(|| panic!("{rel}: {body}")).clone()
    };
    for start in ["", "/collections/Sensor"] {
        let from = client.json(start).await;
        let list = client.follow(link(&from, rel)["href"].as_str().unwrap()).await;
        link(&list, "alternate");
        let sets = [
            ("WebMercatorQuad", "http://www.opengis.net/def/crs/EPSG/0/3857", 25),
            ("WorldCRS84Quad", "http://www.opengis.net/def/crs/OGC/1.3/CRS84", 18),
        ];
        let items = list["tilesets"].as_array().unwrap();
        assert_eq!(items.len(), sets.len());
        for (item, (id, crs, matrices)) in items.iter().zip(sets) {
            let uri = format!("http://www.opengis.net/def/tilematrixset/OGC/1.0/{id}");
            for (name, value) in [
                ("dataType", "vector"),
                ("crs", crs),
                ("tileMatrixSetId", id),
                ("tileMatrixSetURI", &uri),
            ] {
                assert_eq!(item[name], value);
            }
            assert!(item["title"].is_string());
            let set = client
                .follow(
                    link(item, "http://www.opengis.net/def/rel/ogc/1.0/tiling-scheme")["href"]
                        .as_str()
                        .unwrap(),
                )
                .await;
            assert_eq!(set["tileMatrices"].as_array().unwrap().len(), matrices);
            assert_eq!(
                (&set["id"], &set["uri"], &set["crs"]),
                (&json!(id), &json!(uri), &json!(crs))
            );
            let template = link(item, "item");
            assert_eq!((&template["type"], &template["templated"]), (&json!(MVT), &json!(true)));
            let limit = &item["tileMatrixSetLimits"][3];
            let at = |row: u64| {
                let href = template["href"].as_str().unwrap();
                let href = href.replace("{tileMatrix}", limit["tileMatrix"].as_str().unwrap());
                let href = href.replace("{tileRow}", &row.to_string());
                let href = href.replace("{tileCol}", &limit["minTileCol"].to_string());
                href.strip_prefix("http://city.example:8787/ogc").unwrap().to_owned()
            };
            let last = limit["maxTileRow"].as_u64().unwrap();
            client.get(&at(last)).await.expect(200);
            client.get(&at(last + 1)).await.expect(404);
            let tileset = client.follow(link(item, "self")["href"].as_str().unwrap()).await;
            assert_eq!(tileset["dataType"], "vector");
            assert!(
                tileset["boundingBox"]["lowerLeft"].is_array()
                    && tileset["centerPoint"].is_object()
            );
            let layers = tileset["layers"].as_array().unwrap();
            let sensor = layers.iter().find(|layer| layer["id"] == "Sensor").unwrap();
            assert_eq!(sensor["propertiesSchema"]["properties"]["temperature"]["type"], "number");
            assert_eq!(sensor["maxTileMatrix"], (matrices - 1).to_string());
        }
    }
    // Pages for people say the same.
    for path in [
        "/tiles",
        "/tiles/WebMercatorQuad",
        "/tiles/WorldCRS84Quad",
        "/tileMatrixSets",
        "/tileMatrixSets/WorldCRS84Quad",
        "/styles",
        "/styles/default",
        "/collections/Sensor/styles",
    ] {
        assert!(client.page(path).await.contains("<h1>"));
    }
}

#[tokio::test]
async fn tl23_tile_json_names_layers_and_keeps_the_chosen_properties() {
    let client = client_of_town().await;
    let path = "/collections/Sensor/tiles/WebMercatorQuad?f=tilejson&properties=name";
    let reply = client.get(path).await.expect(200);
    assert_eq!(reply.header("content-type"), "application/vnd.mapbox.tile+json");
    let body = reply.json();
    assert_eq!(body["tilejson"], "3.0.0");
    assert_eq!(body["vector_layers"][0]["id"], "Sensor");
    let url = body["tiles"][0].as_str().unwrap();
    let url = url.replace("{z}", "0").replace("{y}", "0").replace("{x}", "0");
    let path = url.strip_prefix("http://city.example:8787/ogc").unwrap();
    let layers = tile(&client, path).await;
    assert_eq!(layers[0].features[0].properties.keys().collect::<Vec<_>>(), ["id", "name"]);
    let accept = [("accept", "application/vnd.mapbox.tile+json")];
    let set = "/ogc/tiles/WebMercatorQuad";
    assert!(client.send(Method::GET, set, &accept).await.expect(200).json()["tiles"].is_array());
    // TileJSON knows one way only to cut the world into tiles.
    client.get("/tiles/WorldCRS84Quad?f=tilejson").await.expect(406);
    client.send(Method::GET, "/ogc/tiles/WorldCRS84Quad", &accept).await.expect(406);
}

#[tokio::test]
async fn tl20_tilesets_of_chosen_collections_keep_the_choice() {
    let client = client_of_town().await;
    let list = client.json("/tiles?collections=Sensor").await;
    for item in list["tilesets"].as_array().unwrap() {
        let links = item["links"].as_array().unwrap();
        let hrefs = links.iter().filter(|l| ["self", "item"].contains(&l["rel"].as_str().unwrap()));
        for href in hrefs.map(|l| l["href"].as_str().unwrap()) {
            assert!(href.contains("collections=Sensor"), "{href}");
        }
    }
    let own = &list["tilesets"][0]["links"][0];
    assert_eq!(own["rel"], "self");
    let tileset = client.follow(own["href"].as_str().unwrap()).await;
    let layers = tileset["layers"].as_array().unwrap();
    assert_eq!(layers.iter().map(|l| &l["id"]).collect::<Vec<_>>(), ["Sensor"]);
    client.get("/tiles?collections=Nothing").await.expect(400);
}

#[tokio::test]
async fn a_style_draws_every_layer_from_the_tiles_of_its_collections() {
    let client = client_of_town().await;
    for (start, layers) in
        [("", &["Building", "Sensor"][..]), ("/collections/Sensor", &["Sensor"][..])]
    {
        let from = client.json(start).await;
        let rel = "http://www.opengis.net/def/rel/ogc/1.0/styles";
        let links = from["links"].as_array().unwrap();
        let styles = links.iter().find(|link| link["rel"] == rel).unwrap();
        let list = client.follow(styles["href"].as_str().unwrap()).await;
        let link = &list["styles"][0]["links"][0];
        assert_eq!((&list["default"], &link["rel"]), (&json!("default"), &json!("stylesheet")));
        assert_eq!(link["type"], "application/vnd.mapbox.style+json");
        let style = client.follow(link["href"].as_str().unwrap()).await;
        assert_eq!(style["version"], 8);
        let tiles = client.follow(style["sources"]["cardo"]["url"].as_str().unwrap()).await;
        assert_eq!(tiles["tilejson"], "3.0.0");
        for layer in layers {
            for part in ["areas", "lines", "points", "merged"] {
                let id = format!("{layer}-{part}");
                let drawn = style["layers"].as_array().unwrap().iter().find(|l| l["id"] == id);
                assert_eq!(drawn.unwrap()["source-layer"], *layer);
            }
        }
        let sources =
            style["layers"].as_array().unwrap().iter().filter(|l| l["source"].is_string());
        assert_eq!(sources.count(), 4 * layers.len());
    }
    let chosen = client.json("/styles/default?collections=Building").await;
    assert!(chosen["sources"]["cardo"]["url"].as_str().unwrap().contains("collections=Building"));
    client.get("/styles/other").await.expect(404);
    client.get("/collections/Sensor/styles/other").await.expect(404);
    client.get("/styles/default?f=sld").await.expect(400);
}

#[tokio::test]
async fn tl13_tl14_the_definition_names_the_operations_of_tiles() {
    let client = client_of_town().await;
    let document = client.json("/api").await;
    for (base, kind) in [("/tiles", "dataset"), ("/collections/{collectionId}/tiles", "collection")]
    {
        let id =
            |path: &str| document["paths"][format!("{base}{path}")]["get"]["operationId"].clone();
        let set = "/{tileMatrixSetId}";
        let place = format!("{set}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}");
        for (path, name) in [("", "getTileSetsList"), (set, "getTileSet"), (&place, "getTile")] {
            assert_eq!(id(path), format!("tiles.{kind}.vector.{name}"));
        }
    }
}

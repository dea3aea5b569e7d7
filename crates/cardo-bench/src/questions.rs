//! The questions of the yardsticks; each request is another.

use std::fmt::Write as _;
use std::sync::Arc;

use crate::city::{City, TEMPERATURES, TYPES};
use crate::load::Question;
use crate::wire::write_request;

const ENTITIES: &str = "/ngsi-ld/v1/entities";

/// A question by the address it asks for.
pub(crate) fn reading(
    target: impl Fn(&mut fastrand::Rng, &mut String) -> std::fmt::Result + Send + Sync + 'static,
) -> Question {
    Arc::new(move |random, out| {
        let mut text = String::with_capacity(200);
        target(random, &mut text).expect("a String takes all");
        write_request(out, "GET", &text, "", "");
    })
}

fn some_type(random: &mut fastrand::Rng) -> &'static str {
    TYPES[random.usize(0..TYPES.len())]
}

/// One sensor by its id.
pub(crate) fn retrieve(city: City) -> Question {
    reading(move |random, out| write!(out, "{ENTITIES}/{}", City::id(random.u32(0..city.entities))))
}

/// The first sensors of a type; `more` is added to the query string.
pub(crate) fn list(more: &'static str) -> Question {
    reading(move |random, out| write!(out, "{ENTITIES}?type={}&limit=20{more}", some_type(random)))
}

/// The first sensors of a type among the hottest or coldest 2 %.
pub(crate) fn by_number() -> Question {
    reading(|random, out| {
        let part = TEMPERATURES * (0.018 + random.f64() * 0.004);
        let (operator, limit) =
            if random.bool() { ("%3C", part) } else { ("%3E", TEMPERATURES - part) };
        write!(
            out,
            "{ENTITIES}?type={}&limit=20&q=temperature{operator}{limit:.4}",
            some_type(random)
        )
    })
}

/// Sensors of a type within 500 m of a place.
pub(crate) fn near(city: City) -> Question {
    reading(move |random, out| {
        let [lon, lat] = city.point(random.f64(), random.f64());
        let name = some_type(random);
        write!(
            out,
            "{ENTITIES}?type={name}&limit=20&georel=near%3BmaxDistance%3D%3D500&geometry=Point&coordinates=%5B{lon:.6}%2C{lat:.6}%5D",
        )
    })
}

/// A hundred features of a type in an area that holds about 120 of them.
pub(crate) fn bbox(city: City) -> Question {
    const SIDE_KM: f64 = 1.25;
    let part = SIDE_KM / city.side();
    reading(move |random, out| {
        let corner = [random.f64(), random.f64()].map(|at| at * (1.0 - part));
        let [west, south] = city.point(corner[0], corner[1]);
        let [east, north] = city.point(corner[0] + part, corner[1] + part);
        let name = some_type(random);
        write!(
            out,
            "/ogc/collections/{name}/items?limit=100&bbox={west:.6},{south:.6},{east:.6},{north:.6}",
        )
    })
}

/// A question to GraphQL.
fn graph(query: impl Fn(&mut fastrand::Rng) -> String + Send + Sync + 'static) -> Question {
    Arc::new(move |random, out| {
        let body = format!(r#"{{"query":"{}"}}"#, query(random));
        write_request(out, "POST", "/graphql", "", &body);
    })
}

/// A type as the root of GraphQL has it.
fn list_field(random: &mut fastrand::Rng) -> String {
    let name = some_type(random);
    format!("{}{}List", name[..1].to_ascii_lowercase(), &name[1..])
}

/// The first sensors of a type, five fields each.
pub(crate) fn graphql_list() -> Question {
    graph(|random| {
        let list = list_field(random);
        format!(
            "{{ {list}(first: 20) {{ nodes {{ id temperature batteryLevel name isActive }} }} }}"
        )
    })
}

/// Sensors of a type with what they lead to over three levels.
pub(crate) fn three_levels() -> Question {
    graph(|random| {
        let list = list_field(random);
        format!(
            "{{ {list}(first: 100) {{ nodes {{ id refDistrict {{ name partOf {{ name partOf {{ name }} }} }} }} }} }}"
        )
    })
}

/// A question that no index answers: every name is matched with a regular expression.
pub(crate) fn scan() -> Question {
    reading(|random, out| {
        let (a, b) = (random.lowercase(), random.lowercase());
        write!(out, "{ENTITIES}?limit=1&count=true&q=name~%3D%22{a}.*x{b}q%22")
    })
}

/// A new temperature of a sensor.
pub(crate) fn update(city: City) -> Question {
    Arc::new(move |random, out| {
        let target =
            format!("{ENTITIES}/{}/attrs/temperature", City::id(random.u32(0..city.entities)));
        let value = f64::from(random.u32(0..40_000)) / 1_000.0;
        let second = random.u32(0..60);
        let body = format!(r#"{{"value":{value},"observedAt":"2026-11-02T10:00:{second:02}Z"}}"#);
        write_request(out, "PATCH", &target, "", &body);
    })
}

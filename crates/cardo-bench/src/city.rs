//! The synthetic city: sensors of eight types, each with five attributes and a location, spread
//! evenly over an area that grows with their number, so that density and selectivity stay.

use std::fmt::Write as _;

use cardo_model::{
    Attribute, Entity, Geometry, Instance, InvalidIri, Iri, JsonText, Timestamp, Value,
};

/// The types of the sensors, as short names of the core context.
pub const TYPES: [&str; 8] = [
    "AirQualitySensor",
    "NoiseSensor",
    "TrafficSensor",
    "ParkingSensor",
    "WaterSensor",
    "SoilSensor",
    "LightSensor",
    "WasteSensor",
];

/// Where names without a term in a user context end up.
pub const DEFAULT_CONTEXT: &str = "https://uri.etsi.org/ngsi-ld/default-context/";

/// Temperatures are spread evenly over this many degrees.
pub const TEMPERATURES: f64 = 40.0;

/// Sensors of all types on a square kilometre.
const DENSITY: f64 = 625.0;
const WEST: f64 = 24.8;
const SOUTH: f64 = 60.1;
pub(crate) const KM_PER_LAT: f64 = 111.2;
pub(crate) const KM_PER_LON: f64 = 55.3;
const OBSERVED: &str = "2026-11-01T10:00:00Z";

/// The point at these fractions of the sides of a square, which are so many kilometres long.
pub(crate) fn point_in(side: f64, [x, y]: [f64; 2]) -> [f64; 2] {
    [WEST + side * x / KM_PER_LON, SOUTH + side * y / KM_PER_LAT]
}

/// A city of a number of sensors. Each is made from its number alone, always the same.
#[derive(Clone, Copy, Debug)]
pub struct City {
    /// How many sensors there are.
    pub entities: u32,
}

/// What one sensor says.
struct Sensor {
    temperature: f64,
    battery: f64,
    street: u32,
    active: bool,
    district: u32,
    place: [f64; 2],
}

impl City {
    /// The id of a sensor.
    pub fn id(number: u32) -> String {
        format!("urn:ngsi-ld:Sensor:{number:07}")
    }

    /// The type of a sensor.
    pub fn type_of(number: u32) -> &'static str {
        TYPES[(number % 8) as usize]
    }

    /// The length of a side of the city in kilometres.
    pub fn side(self) -> f64 {
        (f64::from(self.entities) / DENSITY).sqrt()
    }

    /// The point at these fractions of the city's sides.
    pub fn point(self, x: f64, y: f64) -> [f64; 2] {
        point_in(self.side(), [x, y])
    }

    fn sensor(self, number: u32) -> Sensor {
        let mut random = fastrand::Rng::with_seed(0x00ca_4d00 ^ u64::from(number));
        Sensor {
            temperature: f64::from(random.u32(0..40_000)) / 1_000.0,
            battery: f64::from(random.u32(0..1_000)) / 1_000.0,
            street: random.u32(0..5_000),
            active: random.bool(),
            district: random.u32(0..100),
            place: self.point(random.f64(), random.f64()),
        }
    }

    /// Writes a sensor in the normalized representation.
    pub fn write_json(self, number: u32, out: &mut String) {
        let Sensor { temperature, battery, street, active, district, place } = self.sensor(number);
        let [lon, lat] = place;
        let type_name = Self::type_of(number);
        write!(
            out,
            r#"{{"id":"urn:ngsi-ld:Sensor:{number:07}","type":"{type_name}","temperature":{{"type":"Property","value":{temperature},"unitCode":"CEL","observedAt":"{OBSERVED}"}},"batteryLevel":{{"type":"Property","value":{battery}}},"name":{{"type":"Property","value":"{type_name} {number} at street {street}"}},"isActive":{{"type":"Property","value":{active}}},"refDistrict":{{"type":"Relationship","object":"urn:ngsi-ld:District:{district:03}"}},"location":{{"type":"GeoProperty","value":{{"type":"Point","coordinates":[{lon:.6},{lat:.6}]}}}}}}"#,
        )
        .expect("a String takes all");
    }

    /// A batch of sensors as the body of a batch operation.
    pub fn batch(self, numbers: std::ops::Range<u32>) -> String {
        let mut body = String::with_capacity(numbers.len() * 700);
        for number in numbers {
            body.push(if body.is_empty() { '[' } else { ',' });
            self.write_json(number, &mut body);
        }
        body.push(']');
        body
    }

    /// A sensor as the engine takes it.
    pub fn entity(self, number: u32) -> Result<Entity, InvalidIri> {
        let Sensor { temperature, battery, street, active, district, place } = self.sensor(number);
        let type_name = Self::type_of(number);
        let [lon, lat] = place;
        let mut entity = Entity::new(Iri::new(Self::id(number))?, full_name(type_name)?);
        let property = |text: String| Value::property(JsonText::from_canonical(text), false);
        let mut reading = Instance::new(property(temperature.to_string()));
        reading.unit_code = Some("CEL".into());
        reading.observed_at = Timestamp::parse(OBSERVED).ok();
        let district = Iri::new(format!("urn:ngsi-ld:District:{district:03}"))?;
        let point = format!(r#"{{"type":"Point","coordinates":[{lon:.6},{lat:.6}]}}"#);
        let point = Geometry::from_canonical(point);
        let name = format!("\"{type_name} {number} at street {street}\"");
        let values = [
            ("batteryLevel", property(battery.to_string())),
            ("name", property(name)),
            ("isActive", property(active.to_string())),
            ("refDistrict", Value::relationship(&district)),
        ];
        entity.attributes.push(Attribute::new(full_name("temperature")?, reading));
        for (name, value) in values {
            entity.attributes.push(Attribute::new(full_name(name)?, Instance::new(value)));
        }
        let location = Iri::new("https://uri.etsi.org/ngsi-ld/location")?;
        entity.attributes.push(Attribute::new(location, Instance::new(Value::geo(&point))));
        Ok(entity)
    }
}

/// The full name of a term that no user context defines.
pub fn full_name(term: &str) -> Result<Iri, InvalidIri> {
    Iri::new(format!("{DEFAULT_CONTEXT}{term}"))
}

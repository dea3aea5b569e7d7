//! The planes of Colombia's cities (EPSG method 1052, IOGP Guidance Note 7-2), each at the height of its city.

use super::{CrsError, Transform, checked_finite, checked_wgs84, returns};

/// Code, longitude and latitude of the origin, false easting and northing, and height of the plane: as the EPSG dataset
/// (v12.029) defines them.
type Row = (u32, [f64; 2], [f64; 2], f64);

#[rustfmt::skip]
#[expect(clippy::unreadable_literal, reason = "the numbers are those of the dataset")]
const CITIES: [Row; 32] = [
    (6244, [-70.7583096555555, 7.08760639166667], [1035263.443, 1275526.621], 100.0),
    (6245, [-75.6734891666667, 4.532325], [1155824.666, 993087.465], 1470.0),
    (6246, [-74.8343313333333, 10.9231830833333], [917264.406, 1699839.935], 100.0),
    (6247, [-74.1465916666667, 4.68048611111111], [92334.879, 109320.965], 2550.0),
    (6248, [-73.1973432222222, 7.07888714166667], [1097241.305, 1274642.278], 931.0),
    (6249, [-76.5205625, 3.44188333333333], [1061900.180, 872364.630], 1000.0),
    (6250, [-75.5112069444444, 10.3970475], [842981.410, 1641887.090], 0.0),
    (6251, [-72.50287095, 7.88893673611111], [842805.406, 1364404.570], 308.0),
    (6252, [-75.6191176027778, 1.62101229444444], [1162300.348, 671068.716], 300.0),
    (6253, [-75.1799259333333, 4.41941282777778], [877634.330, 980541.348], 1100.0),
    (6254, [-67.9052320888889, 3.84543818333333], [1019177.687, 491791.326], 96.0),
    (6255, [-69.9428110583333, -4.19768404722222], [25978.217, 27501.365], 89.7),
    (6256, [-75.5110947222222, 5.06815388888889], [1173727.040, 1052391.130], 2100.0),
    (6257, [-75.5648869444444, 6.22920888888889], [835378.647, 1180816.875], 1510.0),
    (6258, [-70.2354616555556, 1.24996936666667], [1093717.398, 629997.236], 170.0),
    (6259, [-76.6510212194444, 1.14002335833333], [1047467.388, 617828.474], 655.2),
    (6260, [-75.8795533305556, 8.77308575555556], [1131814.934, 1462131.119], 15.0),
    (6261, [-75.2964367222222, 2.94241505555556], [864476.923, 817199.827], 430.0),
    (6262, [-77.2531256333333, 1.20098951388889], [980469.695, 624555.332], 2530.0),
    (6263, [-75.6939513888889, 4.81359361111111], [1153492.012, 1024195.255], 1500.0),
    (6264, [-76.6060916361111, 2.45615988333333], [1052430.525, 763366.548], 1740.0),
    (6265, [-67.5007502472222, 6.18072141388889], [1063834.703, 1175257.481], 51.6),
    (6266, [-76.6507538583333, 5.69424766111111], [1047273.617, 1121443.090], 44.0),
    (6267, [-72.9027688694444, 11.5369133277778], [1128154.730, 1767887.914], 6.0),
    (6268, [-81.72937595, 12.523794325], [820439.298, 1877357.828], 6.0),
    (6269, [-72.640033325, 2.56407894166667], [1159876.620, 775380.342], 185.0),
    (6270, [-74.2250052777778, 11.2196430555556], [983892.409, 1732533.518], 29.0),
    (6271, [-74.722466825, 8.81055036666667], [929043.607, 1466125.658], 20.0),
    (6272, [-73.3519389, 5.53419473888889], [1080514.910, 1103772.028], 2800.0),
    (6273, [-73.2465713888889, 10.4472611111111], [1090979.660, 1647208.930], 200.0),
    (6274, [-73.6244859861111, 4.1553751], [1050678.757, 950952.124], 427.2),
    (6275, [-72.4200402777778, 5.35392722222222], [851184.177, 1083954.137], 300.0),
];

/// The half axis and the squared eccentricity of GRS 1980; its datum, MAGNA-SIRGAS, is that of WGS 84.
const AXIS: f64 = 6_378_137.0;
const SQUARE: f64 = 0.006_694_380_022_903_416;

/// How far from a city its plane is of use, in degrees.
const REACH: f64 = 5.0;

/// The plane of a city.
#[derive(Clone, Debug)]
pub(super) struct ColombiaUrban {
    code: u32,
    /// Longitude and latitude of the origin in radians.
    origin: [f64; 2],
    falses: [f64; 2],
    /// How much wider the plane is than the ellipsoid, eastwards there and back, and northwards back.
    wide: [f64; 2],
    long: f64,
    /// The radius of the meridian at the origin, and how northings bend.
    radius: f64,
    bend: f64,
    height: f64,
}

/// Whether the code is one of a city.
pub(super) fn has(code: u32) -> bool {
    CITIES.iter().any(|(known, ..)| *known == code)
}

/// The radius of curvature along the meridian.
fn along(lat: f64) -> f64 {
    AXIS * (1.0 - SQUARE) / (1.0 - SQUARE * lat.sin().powi(2)).powf(1.5)
}

/// That across it.
fn across(lat: f64) -> f64 {
    AXIS / (1.0 - SQUARE * lat.sin().powi(2)).sqrt()
}

impl ColombiaUrban {
    /// The plane of a code.
    pub(super) fn new(code: u32) -> Option<Self> {
        let (_, origin, falses, height) = *CITIES.iter().find(|(known, ..)| *known == code)?;
        let origin = origin.map(f64::to_radians);
        let (radius, width) = (along(origin[1]), across(origin[1]));
        Some(Self {
            code,
            origin,
            falses,
            wide: [1.0 + height / width, 1.0 + height / AXIS],
            long: radius * (1.0 + height / (AXIS * (1.0 - SQUARE))),
            radius,
            bend: origin[1].tan() / (2.0 * radius * width),
            height,
        })
    }

    /// Whether a place is near enough for the formulas to mean anything.
    fn is_near(&self, place: [f64; 2]) -> bool {
        [0, 1].iter().all(|axis| (place[*axis] - self.origin[*axis].to_degrees()).abs() <= REACH)
    }

    fn there(&self, [lon, lat]: [f64; 2]) -> [f64; 2] {
        let (lon, lat) = (lon.to_radians() - self.origin[0], lat.to_radians());
        let east = across(lat) * lat.cos() * lon;
        let stretch = 1.0 + self.height / along(f64::midpoint(lat, self.origin[1]));
        let north = stretch * self.radius * (lat - self.origin[1] + self.bend * east.powi(2));
        [self.falses[0] + self.wide[0] * east, self.falses[1] + north]
    }

    fn back(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        let (east, north) = (x - self.falses[0], y - self.falses[1]);
        let lat = self.origin[1] + north / self.long - self.bend * (east / self.wide[1]).powi(2);
        let lon = self.origin[0] + east / (self.wide[1] * across(lat) * lat.cos());
        [lon.to_degrees(), lat.to_degrees()]
    }
}

impl Transform for ColombiaUrban {
    fn to_wgs84(&self, position: [f64; 2]) -> Result<[f64; 2], CrsError> {
        checked_wgs84(self.back(position), position, self.code)
    }

    fn project(&self, position: [f64; 2]) -> Result<[f64; 2], CrsError> {
        checked_finite(self.there(position), position, self.code)
    }

    fn project_all(&self, positions: &mut [[f64; 2]]) -> Result<(), CrsError> {
        for position in positions {
            let found = self.project(*position)?;
            if !self.is_near(*position) || !returns(self.back(found), *position) {
                return Err(CrsError::Position { position: *position, way: "to", code: self.code });
            }
            *position = found;
        }
        Ok(())
    }
}

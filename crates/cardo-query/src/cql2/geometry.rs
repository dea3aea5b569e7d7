use cardo_spatial::{Crs, CrsError, GeometryError, Rules, check_geometry, check_ring};
use geo_types::{
    Coord, Geometry as Shape, GeometryCollection, LineString, MultiLineString, MultiPoint,
    MultiPolygon, Point, Polygon,
};

/// A position: two numbers, and a height or none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Position {
    /// The first number.
    pub x: f64,
    /// The second number.
    pub y: f64,
    /// The height.
    pub z: Option<f64>,
}

/// A geometry as it was written.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Literal {
    Point(Position),
    LineString(Vec<Position>),
    Polygon(Vec<Vec<Position>>),
    MultiPoint(Vec<Position>),
    MultiLineString(Vec<Vec<Position>>),
    MultiPolygon(Vec<Vec<Vec<Position>>>),
    GeometryCollection(Vec<Literal>),
}

/// The longest edge in degrees of longitude that has one reading on the globe.
const MAX_WIDTH: f64 = 170.0;

/// What is wrong with a geometry.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(super) enum InvalidLiteral {
    #[error(transparent)]
    Geometry(#[from] GeometryError),
    #[error(transparent)]
    System(#[from] CrsError),
}

impl Literal {
    /// The geometry in the plane of longitude and latitude, heights left out; its positions are of
    /// the system.
    ///
    /// Relations are those of that plane. An edge that is wider than half the globe is cut, so that
    /// nobody takes it for one that goes the other way round. Edges that are straight in the plane
    /// of another projection are bent.
    pub(super) fn shape(&self, system: &Crs) -> Result<Shape<f64>, InvalidLiteral> {
        if system.is_geographic() {
            let shape = if system.is_lon_lat() {
                self.as_written()?
            } else {
                self.in_degrees(system)?.as_written()?
            };
            check_geometry(&shape, &Rules::STORED.with_collections())?;
            return Ok(shape);
        }
        let shape = system.shape_to_wgs84(&self.as_drawn()?)?;
        check_geometry(&shape, &Rules::QUERY.with_collections())?;
        Ok(shape)
    }

    /// The same in longitude and latitude.
    fn in_degrees(&self, system: &Crs) -> Result<Self, CrsError> {
        let position = |position: &Position| {
            let [x, y] = system.to_wgs84([position.x, position.y])?;
            Ok(Position { x, y, z: position.z })
        };
        let line = |line: &Vec<Position>| line.iter().map(position).collect();
        let lines = |lines: &Vec<Vec<Position>>| lines.iter().map(line).collect();
        Ok(match self {
            Self::Point(point) => Self::Point(position(point)?),
            Self::LineString(points) => Self::LineString(line(points)?),
            Self::Polygon(rings) => Self::Polygon(lines(rings)?),
            Self::MultiPoint(points) => Self::MultiPoint(line(points)?),
            Self::MultiLineString(all) => Self::MultiLineString(lines(all)?),
            Self::MultiPolygon(all) => {
                let all: Result<_, CrsError> = all.iter().map(lines).collect();
                Self::MultiPolygon(all?)
            }
            Self::GeometryCollection(all) => {
                let all: Result<_, CrsError> =
                    all.iter().map(|one| one.in_degrees(system)).collect();
                Self::GeometryCollection(all?)
            }
        })
    }

    /// The geometry in the plane of its own system.
    fn as_drawn(&self) -> Result<Shape<f64>, GeometryError> {
        let line = |positions: &Vec<Position>| -> LineString<f64> {
            positions.iter().map(|p| Coord { x: p.x, y: p.y }).collect()
        };
        let area = |rings: &Vec<Vec<Position>>, at: &[usize]| {
            for (nth, ring) in rings.iter().enumerate() {
                check_ring(&line(ring).0, &[at, &[nth]].concat())?;
            }
            let mut rings = rings.iter().map(line);
            let exterior = rings.next().unwrap_or_else(|| LineString(Vec::new()));
            Ok::<_, GeometryError>(Polygon::new(exterior, rings.collect()))
        };
        Ok(match self {
            Self::Point(position) => Shape::Point(point(position)),
            Self::LineString(positions) => Shape::LineString(line(positions)),
            Self::Polygon(rings) => Shape::Polygon(area(rings, &[])?),
            Self::MultiPoint(points) => {
                Shape::MultiPoint(MultiPoint(points.iter().map(point).collect()))
            }
            Self::MultiLineString(lines) => {
                Shape::MultiLineString(MultiLineString(lines.iter().map(line).collect()))
            }
            Self::MultiPolygon(all) => {
                let all: Result<_, _> =
                    all.iter().enumerate().map(|(at, rings)| area(rings, &[at])).collect();
                Shape::MultiPolygon(MultiPolygon(all?))
            }
            Self::GeometryCollection(all) => {
                let all: Result<_, _> = all.iter().map(Self::as_drawn).collect();
                Shape::GeometryCollection(GeometryCollection(all?))
            }
        })
    }

    fn as_written(&self) -> Result<Shape<f64>, GeometryError> {
        Ok(match self {
            Self::Point(position) => Shape::Point(point(position)),
            Self::LineString(line) => Shape::LineString(cut(line)),
            Self::Polygon(rings) => Shape::Polygon(polygon(rings, &[])?),
            Self::MultiPoint(points) => {
                Shape::MultiPoint(MultiPoint(points.iter().map(point).collect()))
            }
            Self::MultiLineString(lines) => Shape::MultiLineString(MultiLineString(
                lines.iter().map(|line| cut(line)).collect(),
            )),
            Self::MultiPolygon(polygons) => {
                let polygons = polygons.iter().enumerate();
                let polygons: Result<_, _> = polygons.map(|(at, p)| polygon(p, &[at])).collect();
                Shape::MultiPolygon(MultiPolygon(polygons?))
            }
            Self::GeometryCollection(all) => {
                let all: Result<_, _> = all.iter().map(Self::as_written).collect();
                Shape::GeometryCollection(GeometryCollection(all?))
            }
        })
    }
}

fn point(position: &Position) -> Point<f64> {
    Point::new(position.x, position.y)
}

fn polygon(rings: &[Vec<Position>], at: &[usize]) -> Result<Polygon<f64>, GeometryError> {
    for (nth, ring) in rings.iter().enumerate() {
        let coords: Vec<Coord<f64>> = ring.iter().map(|p| Coord { x: p.x, y: p.y }).collect();
        check_ring(&coords, &[at, &[nth]].concat())?;
    }
    let mut rings = rings.iter().map(|ring| cut(ring));
    let exterior = rings.next().unwrap_or_else(|| LineString(Vec::new()));
    Ok(Polygon::new(exterior, rings.collect()))
}

fn cut(positions: &[Position]) -> LineString<f64> {
    let mut coords: Vec<Coord<f64>> = Vec::with_capacity(positions.len());
    for Position { x, y, .. } in positions {
        let next = Coord { x: *x, y: *y };
        if let Some(last) = coords.last().copied()
            && (next.x - last.x).abs() > MAX_WIDTH
            && (next.x - last.x).is_finite()
        {
            let step = (next - last) / 4.0;
            coords.extend([1.0, 2.0, 3.0].map(|nth| last + step * nth));
        }
        coords.push(next);
    }
    LineString(coords)
}

/// What is wrong with a box.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(super) enum InvalidBox {
    #[error("a box has 4 or 6 numbers, and not {0}")]
    Length(usize),
    #[error("{0} is no longitude of -180 to 180")]
    Longitude(f64),
    #[error("{0} is no latitude of -90 to 90")]
    Latitude(f64),
    #[error("the south {0} lies above the north {1}")]
    South(f64, f64),
    #[error("the bottom {0} lies above the top {1}")]
    Bottom(f64, f64),
    #[error(transparent)]
    System(#[from] CrsError),
}

/// The area of a box in a system, its corners in the order of the axes; where its west lies east of
/// its east the antimeridian runs through it.
pub(super) fn shape_of_box(numbers: &[f64], system: &Crs) -> Result<Shape<f64>, InvalidBox> {
    let (low, high) = match *numbers {
        [x, y, far_x, far_y] => ([x, y], [far_x, far_y]),
        [x, y, bottom, far_x, far_y, top] if bottom <= top => ([x, y], [far_x, far_y]),
        [_, _, bottom, _, _, top] => return Err(InvalidBox::Bottom(bottom, top)),
        _ => return Err(InvalidBox::Length(numbers.len())),
    };
    if system.is_geographic() {
        let ([west, south], [east, north]) = (system.east_north(low), system.east_north(high));
        let is_within = |number: f64, limit: f64| (-limit..=limit).contains(&number);
        if let Some(lon) = [west, east].into_iter().find(|lon| !is_within(*lon, 180.0)) {
            return Err(InvalidBox::Longitude(lon));
        }
        if let Some(lat) = [south, north].into_iter().find(|lat| !is_within(*lat, 90.0)) {
            return Err(InvalidBox::Latitude(lat));
        }
        if south > north {
            return Err(InvalidBox::South(south, north));
        }
    }
    Ok(system.bbox_to_wgs84(low, high)?)
}

//! Reference systems told by well-known text, and coordinates that are not of the system they claim.

use cardo_spatial::{Crs, Doubt};

/// What a `.prj` file says, in the dialect of ESRI, which gives no codes.
fn esri(
    name: &str,
    base: &str,
    projection: &str,
    parameters: &[(&str, f64)],
    unit: &str,
) -> String {
    let parameters: Vec<String> = parameters
        .iter()
        .map(|(name, value)| format!("PARAMETER[\"{name}\",{value:?}],"))
        .collect();
    let parameters = parameters.concat();
    format!("PROJCS[\"{name}\",{base},PROJECTION[\"{projection}\"],{parameters}UNIT[{unit}]]")
}

fn base(name: &str, datum: &str, spheroid: &str) -> String {
    format!(
        "GEOGCS[\"{name}\",DATUM[\"{datum}\",SPHEROID[{spheroid}]],PRIMEM[\"Greenwich\",0.0],\
         UNIT[\"Degree\",0.0174532925199433]]"
    )
}

fn transverse(name: &str, base: &str, east: f64, meridian: f64, scale: f64) -> String {
    let parameters = [
        ("False_Easting", east),
        ("False_Northing", 0.0),
        ("Central_Meridian", meridian),
        ("Scale_Factor", scale),
        ("Latitude_Of_Origin", 0.0),
    ];
    esri(name, base, "Transverse_Mercator", &parameters, "\"Meter\",1.0")
}

const GRS80: &str = "\"GRS_1980\",6378137.0,298.257222101";
const WGS84: &str = "\"WGS_1984\",6378137.0,298.257223563";

fn etrs() -> String {
    base("GCS_ETRS_1989", "D_ETRS_1989", GRS80)
}

fn wgs() -> String {
    base("GCS_WGS_1984", "D_WGS_1984", WGS84)
}

fn code(text: &str) -> Option<u32> {
    Crs::from_user(text).ok().and_then(|crs| crs.epsg())
}

#[test]
fn systems_are_known_by_their_parameters_where_no_code_stands() {
    let kkj = base("GCS_KKJ", "D_KKJ", "\"International_1924\",6378388.0,297.0");
    let kkj = transverse("Finland_Zone_2", &kkj, 2_500_000.0, 24.0, 1.0);
    let osgb = base("GCS_OSGB_1936", "D_OSGB_1936", "\"Airy_1830\",6377563.396,299.3249646");
    let british = esri(
        "British_National_Grid",
        &osgb,
        "Transverse_Mercator",
        &[
            ("False_Easting", 400_000.0),
            ("False_Northing", -100_000.0),
            ("Central_Meridian", -2.0),
            ("Scale_Factor", 0.999_601_271_7),
            ("Latitude_Of_Origin", 49.0),
        ],
        "\"Meter\",1.0",
    );
    let nad = base("GCS_North_American_1983", "D_North_American_1983", GRS80);
    let new_york = esri(
        "NAD_1983_StatePlane_New_York_Long_Island_FIPS_3104_Feet",
        &nad,
        "Lambert_Conformal_Conic",
        &[
            ("False_Easting", 984_250.0),
            ("False_Northing", 0.0),
            ("Central_Meridian", -74.0),
            ("Standard_Parallel_1", 40.666_666_666_666_66),
            ("Standard_Parallel_2", 41.033_333_333_333_33),
            ("Latitude_Of_Origin", 40.166_666_666_666_66),
        ],
        "\"Foot_US\",0.3048006096012192",
    );
    let gauss = kkj.replace("Transverse_Mercator", "Gauss_Kruger");
    for (text, expected) in [
        (kkj, 2_392),
        (gauss, 2_392),
        (british, 27_700),
        (new_york, 2_263),
        (transverse("ETRS_1989_GK25FIN", &etrs(), 25_500_000.0, 25.0, 1.0), 3_879),
        (transverse("EUREF_FIN_TM35FIN", &etrs(), 500_000.0, 27.0, 0.9996), 3_067),
        (transverse("ETRS_1989_UTM_Zone_32N", &etrs(), 500_000.0, 9.0, 0.9996), 25_832),
        (transverse("WGS_1984_UTM_Zone_35N", &wgs(), 500_000.0, 27.0, 0.9996), 32_635),
        (wgs(), 4_326),
        (etrs(), 4_258),
        (
            esri(
                "WGS_1984_Web_Mercator_Auxiliary_Sphere",
                &wgs(),
                "Mercator_Auxiliary_Sphere",
                &[],
                "\"Meter\",1.0",
            ),
            3_857,
        ),
    ] {
        assert_eq!(code(&text), Some(expected), "{text}");
    }
}

#[test]
fn a_code_or_a_name_in_the_text_is_enough() {
    let with_code = wgs().replacen("UNIT", "AUTHORITY[\"EPSG\",\"4979\"],UNIT", 1);
    assert_eq!(code(&with_code), Some(4_979));
    let compound = "COMPD_CS[\"both\",PROJCS[\"x\",GEOGCS[\"g\",DATUM[\"d\",SPHEROID[\"s\",6378137,298.25]]],\
                    AUTHORITY[\"EPSG\",\"3879\"]],VERT_CS[\"N2000\",VERT_DATUM[\"n\",2005]]]";
    assert_eq!(code(compound), Some(3_879));
    let newer = "PROJCRS[\"any\",BASEGEOGCRS[\"ETRS89\",DATUM[\"European Terrestrial Reference System 1989\",\
                 ELLIPSOID[\"GRS 1980\",6378137,298.257222101]]],CONVERSION[\"c\",METHOD[\"Transverse Mercator\"],\
                 PARAMETER[\"Latitude of natural origin\",0],PARAMETER[\"Longitude of natural origin\",25],\
                 PARAMETER[\"Scale factor at natural origin\",1],PARAMETER[\"False easting\",25500000],\
                 PARAMETER[\"False northing\",0]],CS[Cartesian,2],AXIS[\"x\",north,LENGTHUNIT[\"metre\",1]]]";
    assert_eq!(code(newer), Some(3_879));
    assert_eq!(code("ETRS89 / GK25FIN"), Some(3_879));
    assert_eq!(code("no such system"), None);
}

#[test]
fn a_system_that_nobody_registered_is_refused() {
    let own = transverse("Site_grid", &etrs(), 1_000.0, 24.9, 1.0);
    let error = Crs::from_user(&own).unwrap_err().to_string();
    assert!(error.contains("Site_grid"), "{error}");
    for text in ["PROJCS[\"a\"", "GEOGCS[\"a\",[", "LOCAL_CS[\"a\",UNIT[\"m\",1]]", "\"[(\""] {
        assert!(Crs::from_user(text).is_err(), "{text}");
    }
}

#[test]
fn coordinates_that_cannot_be_of_a_system_are_doubted() {
    let doubt = |code, position| Crs::from_epsg(code).expect("known").doubt(position);
    assert_eq!(doubt(3_879, [25_496_580.36, 6_673_003.61]), None);
    assert_eq!(doubt(3_067, [385_611.3, 6_672_118.4]), None);
    assert_eq!(doubt(27_700, [530_043.2, 180_358.2]), None);
    assert_eq!(doubt(2_263, [984_250.0, 200_000.0]), None);
    assert_eq!(doubt(4_326, [24.9, 60.1]), None);
    assert_eq!(doubt(3_879, [24.9, 60.1]), Some(Doubt::Degrees));
    assert_eq!(doubt(4_326, [385_611.3, 6_672_118.4]), Some(Doubt::NotDegrees));
    assert_eq!(doubt(4_258, [385_611.3, 6_672_118.4]), Some(Doubt::NotDegrees));
    assert_eq!(doubt(3_879, [385_611.3, 6_672_118.4]), Some(Doubt::OutOfRange), "zone missing");
    assert_eq!(doubt(3_067, [6_672_118.4, 385_611.3]), Some(Doubt::OutOfRange), "north first");
}

//! Systems of heights and depths, as far as compound ones have them, as the EPSG dataset (v12.029) defines them.

use serde_json::{Value, json};

use Axis::{Depth, Foot, Metre, SurveyFoot};

/// Which way heights count, and in which unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Axis {
    /// Metres up.
    Metre,
    /// International feet up.
    Foot,
    /// Feet of the United States' survey, up.
    SurveyFoot,
    /// Metres down.
    Depth,
}

/// A system of heights: its code, its name, and code and name of its datum.
type Row = (u32, &'static str, u32, &'static str, Axis);

#[rustfmt::skip]
const VERTICAL: [Row; 137] = [
    (3855, "EGM2008 height", 1027, "EGM2008 geoid", Metre),
    (3900, "N2000 height", 1030, "N2000", Metre),
    (4440, "NZVD2009 height", 1039, "New Zealand Vertical Datum 2009", Metre),
    (5193, "KVD1964 height", 1049, "Korean Vertical Datum 1964", Metre),
    (5214, "Genoa 1942 height", 1051, "Genoa 1942", Metre),
    (5317, "FVR09 height", 1059, "Faroe Islands Vertical Reference 2009", Metre),
    (5597, "FCSVR10 height", 1079, "Fehmarnbelt Vertical Reference 2010", Metre),
    (5613, "RH2000 height", 5208, "Rikets hojdsystem 2000", Metre),
    (5616, "IGN 1988 LS height", 5210, "IGN 1988 LS", Metre),
    (5617, "IGN 1988 MG height", 5211, "IGN 1988 MG", Metre),
    (5619, "IGN 1988 SB height", 5213, "IGN 1988 SB", Metre),
    (5620, "IGN 1988 SM height", 5214, "IGN 1988 SM", Metre),
    (5621, "EVRF2007 height", 5215, "European Vertical Reference Frame 2007", Metre),
    (5701, "ODN height", 5101, "Ordnance Datum Newlyn", Metre),
    (5702, "NGVD29 height (ftUS)", 5102, "National Geodetic Vertical Datum 1929", SurveyFoot),
    (5703, "NAVD88 height", 5103, "North American Vertical Datum 1988", Metre),
    (5709, "NAP height", 5109, "Normaal Amsterdams Peil", Metre),
    (5710, "Ostend height", 5110, "Ostend", Metre),
    (5711, "AHD height", 5111, "Australian Height Datum", Metre),
    (5714, "MSL height", 5100, "Mean Sea Level", Metre),
    (5717, "N60 height", 5116, "Helsinki 1960", Metre),
    (5718, "RH70 height", 5117, "Rikets hojdsystem 1970", Metre),
    (5719, "NGF Lallemand height", 5118, "Nivellement General de la France - Lallemand", Metre),
    (5720, "NGF-IGN69 height", 5119, "Nivellement General de la France - IGN69", Metre),
    (5721, "NGF-IGN78 height", 5120, "Nivellement General de la France - IGN78", Metre),
    (5723, "JSLD69 height", 5122, "Japanese Standard Levelling Datum 1969", Metre),
    (5724, "PHD93 height", 5123, "PDO Height Datum 1993", Metre),
    (5730, "EVRF2000 height", 5129, "European Vertical Reference Frame 2000", Metre),
    (5731, "Malin Head height", 5130, "Malin Head", Metre),
    (5732, "Belfast height", 5131, "Belfast Lough", Metre),
    (5740, "ODN Orkney height", 5138, "Ordnance Datum Newlyn (Orkney Isles)", Metre),
    (5742, "Lerwick height", 5140, "Lerwick", Metre),
    (5746, "Stornoway height", 5144, "Stornoway", Metre),
    (5749, "St. Marys height", 5147, "St. Marys", Metre),
    (5750, "Douglas height", 5148, "Douglas", Metre),
    (5755, "NGG1977 height", 5153, "Nivellement General Guyanais 1977", Metre),
    (5756, "Martinique 1987 height", 5154, "Martinique 1987", Metre),
    (5757, "Guadeloupe 1988 height", 5155, "Guadeloupe 1988", Metre),
    (5773, "EGM96 height", 5171, "EGM96 geoid", Metre),
    (5774, "NG95 height", 5172, "Nivellement General du Luxembourg 1995", Metre),
    (5776, "NN54 height", 5174, "Norway Normal Null 1954", Metre),
    (5779, "SVS2000 height", 5177, "Slovenian Vertical System 2000", Metre),
    (5780, "Cascais height", 5178, "Cascais", Metre),
    (5782, "Alicante height", 5180, "Alicante", Metre),
    (5783, "DHHN92 height", 5181, "Deutsches Haupthoehennetz 1992", Metre),
    (5787, "EOMA 1980 height", 5185, "Baltic 1980", Metre),
    (5792, "Danger 1950 height", 5190, "Danger 1950", Metre),
    (5799, "DVR90 height", 1371, "Dansk Vertikal Reference 1990 ensemble", Metre),
    (5941, "NN2000 height", 1096, "Norway Normal Null 2000", Metre),
    (6130, "GCVD54 height (ft)", 1097, "Grand Cayman Vertical Datum 1954", Foot),
    (6131, "LCVD61 height (ft)", 1098, "Little Cayman Vertical Datum 1961", Foot),
    (6132, "CBVD61 height (ft)", 1099, "Cayman Brac Vertical Datum 1961", Foot),
    (6360, "NAVD88 height (ftUS)", 5103, "North American Vertical Datum 1988", SurveyFoot),
    (6640, "NMVD03 height", 1119, "Northern Marianas Vertical Datum of 2003", Metre),
    (6641, "PRVD02 height", 1123, "Puerto Rico Vertical Datum of 2002", Metre),
    (6642, "VIVD09 height", 1124, "Virgin Islands Vertical Datum of 2009", Metre),
    (6643, "ASVD02 height", 1125, "American Samoa Vertical Datum of 2002", Metre),
    (6644, "GUVD04 height", 1126, "Guam Vertical Datum of 2004", Metre),
    (6647, "CGVD2013(CGG2013) height", 1127, "Canadian Geodetic Vertical Datum of 2013 (CGG2013)", Metre),
    (6693, "JSLD72 height", 1129, "Japanese Standard Levelling Datum 1972", Metre),
    (6694, "JGD2000 (vertical) height", 1130, "Japanese Geodetic Datum 2000 (vertical)", Metre),
    (6695, "JGD2011 (vertical) height", 1131, "Japanese Geodetic Datum 2011 (vertical)", Metre),
    (6916, "SHD height", 1140, "Singapore Height Datum", Metre),
    (7446, "Famagusta 1960 height", 1148, "Famagusta 1960", Metre),
    (7700, "Latvia 2000 height", 1162, "Latvian Height System 2000", Metre),
    (7707, "ODN (Offshore) height", 1164, "Ordnance Datum Newlyn (Offshore)", Metre),
    (7837, "DHHN2016 height", 1170, "Deutsches Haupthoehennetz 2016", Metre),
    (7839, "NZVD2016 height", 1169, "New Zealand Vertical Datum 2016", Metre),
    (7888, "Jamestown 1971 height", 1175, "Jamestown 1971", Metre),
    (7889, "St. Helena Tritan 2011 height", 1176, "St. Helena Tritan Vertical Datum 2011", Metre),
    (7890, "SHVD2015 height", 1177, "St. Helena Vertical Datum 2015", Metre),
    (8089, "ISH2004 height", 1190, "Landshaedarkerfi Islands 2004", Metre),
    (8228, "NAVD88 height (ft)", 5103, "North American Vertical Datum 1988", Foot),
    (8266, "GVR2000 height", 1199, "Greenland Vertical Reference 2000", Metre),
    (8267, "GVR2016 height", 1200, "Greenland Vertical Reference 2016", Metre),
    (8357, "Baltic 1957 height", 1202, "Baltic 1957", Metre),
    (8690, "SVS2010 height", 1215, "Slovenian Vertical System 2010", Metre),
    (8911, "DACR52 height", 1226, "Datum Altimetrico de Costa Rica 1952", Metre),
    (9130, "IGN 2008 LD height", 1250, "IGN 2008 LD", Metre),
    (9245, "CGVD2013a(2010) height", 1256, "Canadian Geodetic Vertical Datum of 2013 (CGG2013a) epoch 2010", Metre),
    (9255, "SRVN16 height", 1260, "Sistema de Referencia Vertical Nacional 2016", Metre),
    (9274, "EVRF2000 Austria height", 1261, "European Vertical Reference Frame 2000 Austria", Metre),
    (9279, "SA LLD height", 1262, "South Africa Land Levelling Datum", Metre),
    (9287, "LAT NL depth", 1290, "Lowest Astronomical Tide Netherlands", Depth),
    (9288, "MSL NL depth", 1270, "Mean Sea Level Netherlands", Depth),
    (9303, "HS2-VRF height", 1265, "HS2 Vertical Reference Frame", Metre),
    (9335, "KSA-VRF14 height", 1269, "Kingdom of Saudi Arabia Vertical Reference Frame Jeddah 2014", Metre),
    (9351, "NGNC08 height", 1255, "Nivellement General de Nouvelle Caledonie 2008", Metre),
    (9389, "EVRF2019 height", 1274, "European Vertical Reference Frame 2019", Metre),
    (9390, "EVRF2019 mean-tide height", 1287, "European Vertical Reference Frame 2019 mean tide", Metre),
    (9392, "Mallorca height", 1275, "Mallorca", Metre),
    (9393, "Menorca height", 1276, "Menorca", Metre),
    (9394, "Ibiza height", 1277, "Ibiza", Metre),
    (9395, "Lanzarote height", 1278, "Lanzarote", Metre),
    (9396, "Fuerteventura height", 1279, "Fuerteventura", Metre),
    (9397, "Gran Canaria height", 1280, "Gran Canaria", Metre),
    (9398, "Tenerife height", 1281, "Tenerife", Metre),
    (9399, "La Gomera height", 1282, "La Gomera", Metre),
    (9400, "La Palma height", 1283, "La Palma", Metre),
    (9401, "El Hierro height", 1284, "El Hierro", Metre),
    (9402, "Ceuta 2 height", 1285, "Ceuta 2", Metre),
    (9451, "BI height", 1288, "British Isles height ensemble", Metre),
    (9458, "AVWS height", 1292, "Australian Vertical Working Surface", Metre),
    (9471, "INAGeoid2020 v1 height", 1294, "Indonesian Geoid 2020 version 1", Metre),
    (9650, "Baltic 1986 height", 1296, "Baltic 1986", Metre),
    (9651, "EVRF2007-PL height", 1297, "European Vertical Reference Frame 2007 Poland", Metre),
    (9672, "CD Norway depth", 1301, "Norwegian Chart Datum", Depth),
    (9721, "Catania 1965 height", 1306, "Catania 1965", Metre),
    (9722, "Cagliari 1956 height", 1307, "Cagliari 1956", Metre),
    (9923, "GNTRANS height", 1316, "GNTRANS", Metre),
    (9927, "GNTRANS2016 height", 1318, "GNTRANS2016", Metre),
    (10150, "MSL UK & Ireland VORF08 depth", 1330, "Mean Sea Level UK & Ireland VORF08", Depth),
    (10151, "CD UK & Ireland VORF08 depth", 1331, "Chart Datum UK & Ireland VORF08", Depth),
    (10352, "Formentera height", 1362, "Formentera", Metre),
    (10353, "Alboran height", 1363, "Alboran", Metre),
    (10354, "Melilla height", 1364, "Melilla", Metre),
    (10483, "DVR90(2002) height", 1368, "Dansk Vertikal Reference 1990 (2002)", Metre),
    (10484, "DVR90(2013) height", 1369, "Dansk Vertikal Reference 1990 (2013)", Metre),
    (10485, "DVR90(2023) height", 1370, "Dansk Vertikal Reference 1990 (2023)", Metre),
    (10547, "DKMSL(2022) depth", 1372, "Denmark Mean Sea Level (2022)", Depth),
    (10548, "DKLAT(2022) depth", 1373, "Denmark Lowest Astronomical Tide (2022)", Depth),
    (10549, "DKMSL(2023) depth", 1374, "Denmark Mean Sea Level (2023)", Depth),
    (10550, "DKLAT(2023) depth", 1375, "Denmark Lowest Astronomic Tide (2023)", Depth),
    (10642, "Saba height", 1381, "Saba Vertical Datum", Metre),
    (10649, "GLMSL(2023) depth", 1387, "Greenland Mean Sea Level (2023)", Depth),
    (10650, "GLLAT(2023) depth", 1388, "Greenland Lowest Astronomic Tide (2023)", Depth),
    (10678, "BSCD2000 depth", 1390, "Baltic Sea Chart Datum 2000", Depth),
    (10740, "Sint Eustatius height", 1395, "Sint Eustatius Vertical Datum", Metre),
    (10763, "Bonaire height", 1398, "Bonaire Vertical Datum", Metre),
    (10900, "Asse 2025 height", 1415, "Asse vertical datum 2025", Metre),
    (10918, "COH88 2025 (NAVD88) height", 1416, "Derived California Orthometric Heights of 1988 epoch 2025", Metre),
    (10999, "SVD2024 height", 1424, "Svalbard vertical datum 2024", Metre),
    (11157, "IGN 2023 Mayotte height", 1443, "IGN 2023 Mayotte", Metre),
    (20000, "SVD2006 height", 1323, "Svalbard vertical datum 2006", Metre),
    (20034, "CGVD2013a(2002) height", 1325, "Canadian Geodetic Vertical Datum of 2013 (CGG2013a) epoch 2002", Metre),
    (20035, "CGVD2013a(1997) height", 1326, "Canadian Geodetic Vertical Datum of 2013 (CGG2013a) epoch 1997", Metre),
    (20036, "INAGeoid2020 v2 height", 1328, "Indonesian Geoid 2020 version 2", Metre),
];

/// A system of heights or depths.
#[derive(Clone, Copy, Debug)]
pub(super) struct Vertical {
    code: u32,
    /// As the EPSG dataset names it.
    pub(super) name: &'static str,
    datum: (u32, &'static str),
    pub(super) axis: Axis,
}

/// The system of heights of a code, where a compound one has it.
pub(super) fn of(code: u32) -> Option<Vertical> {
    let at = VERTICAL.binary_search_by_key(&code, |(code, ..)| *code).ok()?;
    let (code, name, datum, datum_name, axis) = VERTICAL[at];
    Some(Vertical { code, name, datum: (datum, datum_name), axis })
}

impl Axis {
    /// How many metres up one of its units is.
    pub(super) fn metres(self) -> f64 {
        match self {
            Metre => 1.0,
            Foot => 0.3048,
            SurveyFoot => 1200.0 / 3937.0,
            Depth => -1.0,
        }
    }

    /// Code and name of its unit.
    fn unit(self) -> (u32, &'static str) {
        match self {
            Metre | Depth => (9001, "metre"),
            Foot => (9002, "foot"),
            SurveyFoot => (9003, "US survey foot"),
        }
    }

    /// Its name, its abbreviation, and where it points.
    fn names(self) -> [&'static str; 3] {
        match self {
            Metre | Foot | SurveyFoot => ["Gravity-related height", "H", "up"],
            Depth => ["Depth", "D", "down"],
        }
    }
}

impl Vertical {
    /// As well-known text (OGC 01-009, clause 7.3.8).
    pub(super) fn to_wkt(self) -> String {
        let Self { code, name, datum: (datum, datum_name), axis } = self;
        let (unit_code, unit) = axis.unit();
        let (length, [axis, _, direction]) = (axis.metres().abs(), axis.names());
        let direction = direction.to_uppercase();
        format!(
            "VERT_CS[\"{name}\",VERT_DATUM[\"{datum_name}\",2005,AUTHORITY[\"EPSG\",\"{datum}\"]],\
             UNIT[\"{unit}\",{length},AUTHORITY[\"EPSG\",\"{unit_code}\"]],AXIS[\"{axis}\",{direction}],\
             AUTHORITY[\"EPSG\",\"{code}\"]]"
        )
    }

    pub(super) fn to_projjson(self) -> Value {
        let (_, unit) = self.axis.unit();
        let unit = match self.axis.metres().abs() {
            1.0 => json!(unit),
            factor => json!({ "type": "LinearUnit", "name": unit, "conversion_factor": factor }),
        };
        let [name, abbreviation, direction] = self.axis.names();
        let axis = json!({ "name": name, "abbreviation": abbreviation, "direction": direction, "unit": unit });
        json!({
            "type": "VerticalCRS",
            "name": self.name,
            "datum": { "type": "VerticalReferenceFrame", "name": self.datum.1 },
            "coordinate_system": { "subtype": "vertical", "axis": [axis] },
            "id": { "authority": "EPSG", "code": self.code },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heights_are_told_by_code_unit_and_direction() {
        assert!(VERTICAL.is_sorted_by(|one, next| one.0 < next.0));
        let feet = of(6360).unwrap();
        assert!(
            feet.to_wkt().contains("UNIT[\"US survey foot\",0.304800609601"),
            "{}",
            feet.to_wkt()
        );
        let depth = of(9672).unwrap().to_projjson();
        assert_eq!(depth["coordinate_system"]["axis"][0]["direction"], "down");
        assert!(of(28_992).is_none());
    }
}

//! Which systems put north before east.

/// Projected systems whose first axis points north and whose second points east, as ranges of the codes that are
/// defined. From the EPSG dataset.
#[rustfmt::skip]
const NORTH_FIRST: [(u32, u32); 90] = [
    (2036, 2036), (2044, 2045), (2081, 2083), (2085, 2086), (2091, 2093), (2096, 2098), (2105, 2132), (2166, 2180),
    (2193, 2193), (2199, 2200), (2206, 2212), (2319, 2549), (2551, 2735), (2738, 2758), (2935, 2941), (2953, 2953),
    (3006, 3030), (3034, 3035), (3038, 3051), (3058, 3059), (3068, 3068), (3114, 3118), (3120, 3120), (3126, 3140),
    (3146, 3147), (3150, 3152), (3300, 3301), (3328, 3335), (3346, 3346), (3350, 3352), (3366, 3366), (3386, 3390),
    (3396, 3399), (3407, 3407), (3414, 3414), (3416, 3416), (3764, 3764), (3788, 3793), (3795, 3796), (3833, 3854),
    (3873, 3885), (3901, 3911), (4026, 4038), (4417, 4417), (4434, 4434), (4491, 4554), (4568, 4589), (4652, 4822),
    (4839, 4880), (5048, 5048), (5105, 5188), (5253, 5259), (5269, 5275), (5343, 5349), (5367, 5367), (5479, 5481),
    (5518, 5520), (5562, 5588), (5632, 5639), (5651, 5653), (5845, 5857), (5945, 5970), (6145, 6170), (6362, 6362),
    (6372, 6387), (6669, 6687), (6707, 6709), (6870, 6870), (6875, 6876), (6927, 6927), (6962, 6962), (7799, 7801),
    (7825, 7831), (8433, 8441), (20004, 20092), (21413, 21483), (21896, 21899), (22171, 22197), (25884, 25884),
    (27205, 27232), (27391, 27398), (27492, 27492), (28402, 28492), (29701, 29702), (30161, 30179), (30800, 30800),
    (31251, 31259), (31275, 31290), (31466, 31469), (31700, 31700),
];

/// Projected systems with an axis that points south or west.
const ELSEWHERE: [(u32, u32); 7] = [
    (2046, 2055),
    (2065, 2065),
    (5513, 5513),
    (8044, 8045),
    (8352, 8352),
    (22275, 22293),
    (29371, 29385),
];

/// Geographic systems that put longitude first, unlike all others.
const LONGITUDE_FIRST: [(u32, u32); 4] = [(7034, 7042), (7084, 7088), (7133, 7133), (8901, 8902)];

/// Whether the authority's order is north, east; `None` where an axis points neither way.
pub(super) fn is_north_first(code: u32) -> Option<bool> {
    if contains(&ELSEWHERE, code) {
        return None;
    }
    if super::pure::is_geographic(code) {
        return Some(!contains(&LONGITUDE_FIRST, code));
    }
    Some(contains(&NORTH_FIRST, code))
}

fn contains(ranges: &[(u32, u32)], code: u32) -> bool {
    ranges.iter().any(|(first, last)| (*first..=*last).contains(&code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_the_authority_s() {
        for code in [4326, 4258, 3879, 2180, 3035, 31467, 3006] {
            assert_eq!(is_north_first(code), Some(true), "{code}");
        }
        for code in [3067, 25832, 3857, 2154, 27700, 28992, 5514, 7035] {
            assert_eq!(is_north_first(code), Some(false), "{code}");
        }
        assert_eq!(is_north_first(2065), None);
    }
}

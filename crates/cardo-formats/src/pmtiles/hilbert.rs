/// The number of a tile: its place on the Hilbert curve of its zoom level, behind all tiles of the
/// levels before (chapter 4.1). `None` where there is no such tile.
pub fn tile_id(zoom: u8, column: u32, row: u32) -> Option<u64> {
    if zoom > 31 {
        return None;
    }
    let side = 1_u64 << zoom;
    let (mut x, mut y) = (u64::from(column), u64::from(row));
    if x >= side || y >= side {
        return None;
    }
    // 1 + 4 + 16 + … tiles of the levels before.
    let before = ((1_u64 << (2 * u32::from(zoom))) - 1) / 3;
    let mut along = 0;
    let mut half = side / 2;
    while half > 0 {
        let (right, below) = (x & half > 0, y & half > 0);
        along += half * half * ((3 * u64::from(right)) ^ u64::from(below));
        // Each quarter holds the curve turned so that it goes on where the one before ends.
        if !below {
            if right {
                (x, y) =
                    (half.wrapping_sub(1).wrapping_sub(x), half.wrapping_sub(1).wrapping_sub(y));
            }
            (x, y) = (y, x);
        }
        half /= 2;
    }
    Some(before + along)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_the_specification() {
        for (zoom, x, y, id) in [
            (0, 0, 0, 0),
            (1, 0, 0, 1),
            (1, 0, 1, 2),
            (1, 1, 1, 3),
            (1, 1, 0, 4),
            (2, 0, 0, 5),
            (12, 3423, 1763, 19_078_479),
        ] {
            assert_eq!(tile_id(zoom, x, y), Some(id), "{zoom}/{x}/{y}");
        }
        assert_eq!(tile_id(1, 2, 0), None);
        assert_eq!(tile_id(32, 0, 0), None);
    }

    #[test]
    fn each_tile_of_a_level_has_its_own_number_beside_that_of_a_neighbour() {
        for zoom in 1..8_u8 {
            let side = 1_u32 << zoom;
            let tiles = (0..side).flat_map(|x| (0..side).map(move |y| (x, y)));
            let mut all: Vec<_> =
                tiles.map(|(x, y)| (tile_id(zoom, x, y).unwrap(), x, y)).collect();
            all.sort_unstable();
            let first = all[0].0;
            for (place, pair) in all.windows(2).enumerate() {
                let [(id, x, y), (_, next_x, next_y)] = [pair[0], pair[1]];
                assert_eq!(id, first + place as u64);
                assert_eq!(x.abs_diff(next_x) + y.abs_diff(next_y), 1, "{zoom}");
            }
        }
        assert_eq!(tile_id(31, u32::MAX >> 1, 0), Some(((1_u64 << 62) - 1) / 3 + (1 << 62) - 1));
    }
}

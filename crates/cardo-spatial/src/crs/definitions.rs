//! Definitions of our own, in words of PROJ, beside those that come with a library.

use std::collections::HashMap;
use std::sync::LazyLock;

/// How positions are projected, and in which datum.
type Definition = (&'static str, &'static str);

static DEFINITIONS: LazyLock<HashMap<u32, Definition>> =
    LazyLock::new(|| read(include_str!("definitions.txt")).collect());

/// The lines of the text: `# …` says something, `[…]` is the datum of what is below it, and all others are a projection
/// with the codes of those that it makes.
fn read(text: &'static str) -> impl Iterator<Item = (u32, Definition)> {
    let mut datum = "";
    let lines = text.lines().filter_map(move |line| {
        if let Some(words) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            datum = words;
            return None;
        }
        let (projection, codes) = line.split_once(": ").filter(|_| !line.starts_with('#'))?;
        let codes = codes.split(' ').filter_map(|code| code.parse().ok());
        Some(codes.map(move |code| (code, (projection, datum))))
    });
    lines.flatten()
}

/// The definition of a code as a string of PROJ, where there is one.
pub(super) fn of(code: u32) -> Option<String> {
    let (projection, datum) = DEFINITIONS.get(&code)?;
    Some(format!("+proj={} +no_defs", [*projection, *datum].join(" ").replace(' ', " +")))
}

#[cfg(test)]
mod tests {
    use super::super::pure::PureRust;
    use super::super::register;
    use super::*;

    #[test]
    fn every_definition_is_one_of_positions_on_the_ground_that_is_computed() {
        assert_eq!(
            of(2037).unwrap(),
            "+proj=utm +zone=19 +ellps=GRS80 \
             +towgs84=-0.991,1.9072,0.5129,0.0257899,0.0096501,0.0116599,0 +no_defs"
        );
        let codes = || DEFINITIONS.keys().copied();
        assert!(codes().count() > 2_000);
        for code in codes() {
            assert!(register::is_horizontal(code) && !register::is_rough(code), "{code}");
            assert!(PureRust::new(code).is_ok(), "{code}");
        }
        // None stands twice.
        let lines = include_str!("definitions.txt").lines().filter(|line| !line.starts_with('#'));
        let listed = lines.filter_map(|line| line.split_once(": "));
        assert_eq!(listed.flat_map(|(_, codes)| codes.split(' ')).count(), codes().count());
    }
}

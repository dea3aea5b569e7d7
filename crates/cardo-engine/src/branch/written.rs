//! A choice of entities as a text: by their ranks in the order of creation, which are the same whenever
//! the twin that they are chosen from is read again. It is one bit an entity, or how many are left out
//! and taken in turn, whichever is shorter.

use crate::live::SlotSet;

/// The first of 64 digits that follow one another.
const ZERO: u8 = b'0';
const BITS: u32 = 6;
/// A digit of a number that goes on with the next.
const MORE: usize = 1 << (BITS - 1);

const IN_TURN: &str = "runs ";
const ONE_BY_ONE: &str = "bits ";

pub(super) fn write(live: &SlotSet, chosen: &SlotSet) -> String {
    in_turn(live, chosen).unwrap_or_else(|| one_by_one(live, chosen))
}

fn digit(value: usize) -> char {
    char::from(ZERO + u8::try_from(value).expect("a digit has six bits"))
}

/// None where it is longer than a bit an entity.
fn in_turn(live: &SlotSet, chosen: &SlotSet) -> Option<String> {
    let most = IN_TURN.len() + live.len() / BITS as usize;
    let mut text = IN_TURN.to_owned();
    let (mut is_taken, mut length) = (false, 0_usize);
    let mut put = |mut length: usize| {
        while length >= MORE {
            text.push(digit(MORE + length % MORE));
            length /= MORE;
        }
        text.push(digit(length));
        text.len() <= most
    };
    for slot in live.iter() {
        if chosen.contains(slot) != is_taken {
            if !put(length) {
                return None;
            }
            (is_taken, length) = (!is_taken, 0);
        }
        length += 1;
    }
    (!is_taken || put(length)).then_some(text)
}

fn one_by_one(live: &SlotSet, chosen: &SlotSet) -> String {
    let mut text = ONE_BY_ONE.to_owned();
    let (mut value, mut bits) = (0, 0);
    for slot in live.iter() {
        value |= usize::from(chosen.contains(slot)) << bits;
        bits += 1;
        if bits == BITS {
            text.push(digit(value));
            (value, bits) = (0, 0);
        }
    }
    if bits > 0 {
        text.push(digit(value));
    }
    text
}

/// The choice of a text among the entities of the twin that it is of; none where it is none.
pub(super) fn read(text: &str, live: &SlotSet) -> Option<SlotSet> {
    let value = |digit: u8| usize::from(digit.wrapping_sub(ZERO));
    let is_taken: Vec<bool> = if let Some(digits) = text.strip_prefix(IN_TURN) {
        let mut all = Vec::with_capacity(live.len());
        let (mut is_taken, mut length, mut shift) = (false, 0_usize, 0);
        for value in digits.bytes().map(value) {
            length |= (value % MORE).checked_shl(shift)?;
            shift += BITS - 1;
            if value < MORE {
                if length > live.len() - all.len() {
                    return None;
                }
                all.resize(all.len() + length, is_taken);
                (is_taken, length, shift) = (!is_taken, 0, 0);
            }
        }
        all
    } else {
        let digits = text.strip_prefix(ONE_BY_ONE)?.bytes().map(value);
        digits.flat_map(|value| (0..BITS).map(move |bit| (value >> bit) & 1 == 1)).collect()
    };
    let taken = live.iter().zip(is_taken).filter(|(_, is_taken)| *is_taken);
    Some(taken.map(|(slot, _)| slot).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_choice_survives_its_text_among_the_same_entities_in_other_slots(
            entities in prop::collection::vec((1_u32..5, any::<bool>()), 0..400),
            run in (0_usize..400, 0_usize..3_000),
        ) {
            let mut slots: Vec<(u32, bool)> = Vec::new();
            let mut next = 0;
            for (nth, (gap, is_taken)) in entities.into_iter().enumerate() {
                next += gap;
                slots.push((next, is_taken));
                if nth == run.0 {
                    slots.extend((1..=u32::try_from(run.1).unwrap()).map(|at| (next + at, true)));
                    next += u32::try_from(run.1).unwrap();
                }
            }
            let live: SlotSet = slots.iter().map(|(slot, _)| *slot).collect();
            let chosen = slots.iter().filter(|(_, is_taken)| *is_taken).map(|(slot, _)| *slot);
            let chosen: SlotSet = chosen.collect();
            let text = write(&live, &chosen);
            prop_assert!(text.len() <= 6 + live.len() / 6 + 1);
            let again = read(&text, &live).unwrap();
            prop_assert!(again.iter().eq(chosen.iter()));
            let dense: SlotSet = (0..u32::try_from(live.len()).unwrap()).collect();
            let ranks = slots.iter().zip(0_u32..).filter(|((_, is_taken), _)| *is_taken);
            prop_assert!(read(&text, &dense).unwrap().iter().eq(ranks.map(|(_, rank)| rank)));
        }

        #[test]
        fn no_text_is_more_than_a_choice_of_what_there_is(text in "(runs |bits |)[0-o]{0,40}") {
            let live: SlotSet = (0..100).collect();
            if let Some(chosen) = read(&text, &live) {
                prop_assert!(chosen.iter().all(|slot| live.contains(slot)));
            }
        }
    }
}

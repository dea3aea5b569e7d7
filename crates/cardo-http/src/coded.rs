use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use axum::body::Bytes;

/// How many bytes compressed forms may take together.
#[derive(Clone, Debug)]
pub struct CodedRoom(Arc<AtomicUsize>);

/// The compressed forms of a body that is given out more than once, as an extension of its answers: each
/// is made for the first client that takes it, and kept where there is room, for as long as this is.
#[derive(Clone, Debug)]
pub struct CodedForms(Arc<Forms>);

#[derive(Debug)]
struct Forms {
    /// By coding.
    bodies: [OnceLock<Bytes>; 3],
    room: CodedRoom,
}

impl CodedRoom {
    /// Room for so many bytes.
    pub fn new(bytes: usize) -> Self {
        Self(Arc::new(AtomicUsize::new(bytes)))
    }

    fn take(&self, bytes: usize) -> bool {
        let less = |left: usize| left.checked_sub(bytes);
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok()
    }

    fn give_back(&self, bytes: usize) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }
}

impl CodedForms {
    /// None yet.
    pub fn new(room: &CodedRoom) -> Self {
        Self(Arc::new(Forms { bodies: Default::default(), room: room.clone() }))
    }

    pub(crate) fn get(&self, coding: usize) -> Option<Bytes> {
        self.0.bodies[coding].get().cloned()
    }

    pub(crate) fn keep(&self, coding: usize, body: Vec<u8>) {
        let Forms { bodies, room } = &*self.0;
        let bytes = body.len();
        if bodies[coding].get().is_none()
            && room.take(bytes)
            && bodies[coding].set(body.into_boxed_slice().into()).is_err()
        {
            room.give_back(bytes);
        }
    }
}

impl Drop for Forms {
    fn drop(&mut self) {
        let kept: usize = self.bodies.iter().filter_map(OnceLock::get).map(Bytes::len).sum();
        self.room.give_back(kept);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_kept_where_there_is_room_and_give_it_back() {
        let room = CodedRoom::new(10);
        let [one, other] = [0, 1].map(|_| CodedForms::new(&room));
        one.keep(0, vec![1; 6]);
        one.keep(0, vec![2; 3]);
        other.keep(0, vec![3; 6]);
        other.keep(2, vec![4; 4]);
        assert_eq!(one.get(0).as_deref(), Some(&[1; 6][..]));
        assert_eq!((one.get(1), other.get(0)), (None, None));
        assert_eq!(other.get(2).as_deref(), Some(&[4; 4][..]));
        drop(one);
        other.keep(0, vec![3; 6]);
        assert!(other.get(0).is_some());
    }
}

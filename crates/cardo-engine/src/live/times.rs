use std::sync::OnceLock;

use cardo_model::{AttributeRef, Record, Timestamp};

type Range = Option<(Timestamp, Timestamp)>;

/// When a type was observed first and last.
///
/// Writes widen the range; only looking at all members can narrow it. That is done when somebody
/// asks after the reading at an end has gone.
#[derive(Clone, Default)]
pub(crate) struct Times {
    range: Range,
    /// The reading at an end may have gone.
    is_loose: bool,
    /// What looking at all members has found since the last write.
    found: OnceLock<Range>,
}

impl Times {
    pub(crate) fn take_in(&mut self, attribute: &AttributeRef<'_>) {
        self.tighten();
        widen(&mut self.range, attribute);
    }

    pub(crate) fn let_go(&mut self, attribute: &AttributeRef<'_>) {
        self.tighten();
        let is_end = |moment| self.range.is_some_and(|(from, to)| moment == from || moment == to);
        self.is_loose |= moments(attribute).any(is_end);
    }

    fn tighten(&mut self) {
        if let Some(found) = self.found.take() {
            self.range = found;
            self.is_loose = false;
        }
    }

    /// The range; `None` where nobody has looked since an end may have gone.
    pub(crate) fn exact(&self) -> Option<Range> {
        if self.is_loose { self.found.get().copied() } else { Some(self.range) }
    }

    /// The range, which may be wider than what there is where nobody has looked.
    pub(crate) fn range(&self) -> Range {
        self.exact().unwrap_or(self.range)
    }

    /// Keeps what looking at all members has found.
    pub(crate) fn keep(&self, found: Range) {
        // Another who looked at the same time has found the same.
        let _ = self.found.set(found);
    }
}

/// Takes the times of observation of a record into a range.
pub(crate) fn widen_by_record(range: &mut Range, record: &Record) {
    record.view().attributes().for_each(|attribute| widen(range, &attribute));
}

fn widen(range: &mut Range, attribute: &AttributeRef<'_>) {
    for moment in moments(attribute) {
        let (from, to) = range.unwrap_or((moment, moment));
        *range = Some((from.min(moment), to.max(moment)));
    }
}

fn moments(attribute: &AttributeRef<'_>) -> impl Iterator<Item = Timestamp> {
    attribute.instances().filter_map(|instance| instance.observed_at())
}

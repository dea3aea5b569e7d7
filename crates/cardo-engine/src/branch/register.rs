use cardo_model::{DocumentChange, Revision, Timestamp};

use super::BranchInfo;
use crate::live::{CHOSEN, Root};

/// The kind of the documents of a tenant's main branch that list the others, by name.
pub(crate) const BRANCH: &str = "branch";
/// The kind of those that list branches whose data are still there, by place.
pub(crate) const DROPPED: &str = "dropped-branch";
/// The kind of the document of a branch that names its parent.
const ORIGIN: &str = "origin";

/// What an entry ends with that is of a branch that began with a part.
const PART: &str = " part";

/// What the register says of a branch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Under which branch the store keeps it; never given twice, unlike names.
    pub(crate) place: Box<str>,
    /// The place of its parent; none where it began with content of its own.
    pub(crate) parent: Option<Box<str>>,
    /// The revision behind which its log begins.
    pub(crate) revision: Revision,
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Option<Timestamp>,
    /// Whether it began with a part of its parent.
    pub(crate) is_part: bool,
}

impl Entry {
    /// What the register says of a name.
    pub(crate) fn of(main: &Root, name: &str) -> Option<Self> {
        Self::read(&main.document(BRANCH, name)?)
    }

    /// Every branch with its name.
    pub(crate) fn all(main: &Root) -> Vec<(Box<str>, Self)> {
        Self::list(main, BRANCH)
    }

    /// Every branch that was dropped and whose data are still there, with its place.
    pub(crate) fn all_dropped(main: &Root) -> Vec<(Box<str>, Self)> {
        Self::list(main, DROPPED)
    }

    /// What the register says of a place.
    pub(crate) fn at(main: &Root, place: &str) -> Option<Self> {
        let mut all = Self::all(main).into_iter().chain(Self::all_dropped(main));
        all.find(|(_, entry)| &*entry.place == place).map(|(_, entry)| entry)
    }

    /// Whether the register has anything to say.
    pub(crate) fn has_any(main: &Root) -> bool {
        !main.documents(BRANCH).is_empty() || !main.documents(DROPPED).is_empty()
    }

    fn list(main: &Root, kind: &str) -> Vec<(Box<str>, Self)> {
        let documents = main.documents(kind).into_iter();
        documents.filter_map(|(name, body)| Some(((*name).into(), Self::read(&body)?))).collect()
    }

    pub(crate) fn is_over(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }

    pub(crate) fn info(&self, name: &str) -> BranchInfo {
        BranchInfo {
            name: name.into(),
            revision: self.revision,
            created_at: self.created_at,
            expires_at: self.expires_at,
        }
    }

    pub(crate) fn document(&self, name: &str) -> DocumentChange {
        let body = Some(self.text().into());
        DocumentChange { kind: BRANCH.into(), id: name.into(), body }
    }

    pub(crate) fn no_document(name: &str) -> DocumentChange {
        DocumentChange { kind: BRANCH.into(), id: name.into(), body: None }
    }

    pub(crate) fn dropped_document(&self) -> DocumentChange {
        let body = Some(self.text().into());
        DocumentChange { kind: DROPPED.into(), id: self.place.clone(), body }
    }

    pub(crate) fn no_dropped(place: &str) -> DocumentChange {
        DocumentChange { kind: DROPPED.into(), id: place.into(), body: None }
    }

    /// What the first record of the branch's own log says: where it is from, and which entities of its
    /// parent it has where it has not all.
    pub(crate) fn first_documents(&self, chosen: Option<&str>) -> Vec<DocumentChange> {
        let parent: Box<str> = self.parent.as_deref().unwrap_or("-").into();
        let body = Some(self.revision.0.to_string().into());
        let origin = DocumentChange { kind: ORIGIN.into(), id: parent.clone(), body };
        let chosen = chosen.map(|text| DocumentChange {
            kind: CHOSEN.into(),
            id: parent,
            body: Some(text.into()),
        });
        std::iter::once(origin).chain(chosen).collect()
    }

    fn text(&self) -> String {
        let end = self.expires_at.map_or("-".to_owned(), |end| end.to_bits().to_string());
        format!(
            "{} {} {} {} {end}{}",
            self.place,
            self.parent.as_deref().unwrap_or("-"),
            self.revision.0,
            self.created_at.to_bits(),
            if self.is_part { PART } else { "" },
        )
    }

    fn read(body: &str) -> Option<Self> {
        let mut words = body.split(' ');
        let place = words.next()?.into();
        let parent = words.next().map(|word| (word != "-").then(|| word.into()))?;
        let revision = Revision(words.next()?.parse().ok()?);
        let created_at = Timestamp::from_bits(words.next()?.parse().ok()?);
        let expires_at = match words.next()? {
            "-" => None,
            bits => Some(Timestamp::from_bits(bits.parse().ok()?)),
        };
        let is_part = words.next().is_some_and(|word| word == PART.trim_start());
        Some(Self { place, parent, revision, created_at, expires_at, is_part })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_survives_its_document() {
        let entry = Entry {
            place: "b7".into(),
            parent: Some("main".into()),
            revision: Revision(6),
            created_at: Timestamp::from_seconds(5),
            expires_at: None,
            is_part: false,
        };
        let later = Entry { expires_at: Some(Timestamp::from_micros(9_000_001)), ..entry.clone() };
        let alone = Entry { parent: None, ..later.clone() };
        let part = Entry { is_part: true, ..entry.clone() };
        for entry in [entry, later, alone, part] {
            let document = entry.document("plan");
            assert_eq!(Entry::read(document.body.as_deref().unwrap()), Some(entry));
        }
        assert_eq!(Entry::read("b7 main x"), None);
    }
}

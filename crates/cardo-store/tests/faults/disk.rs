//! A disk that keeps of unsynced writes what it likes.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::Rng;
use proptest::test_runner::{RngAlgorithm, TestRng};

use crate::trace::Event;

/// Sectors are written whole or not at all.
const SECTOR: usize = 512;

/// A file with what was done to it.
#[derive(Default)]
struct Inode {
    changes: Vec<Change>,
    /// So many changes are on the disk for certain.
    synced: usize,
}

#[derive(Clone)]
enum Change {
    Write { at: u64, bytes: Vec<u8> },
    Truncate(u64),
}

/// A change of the directory.
enum Naming {
    Create(PathBuf, usize),
    Rename(PathBuf, PathBuf),
    Remove(PathBuf),
}

/// The state of one directory's files after some events.
#[derive(Default)]
pub(crate) struct Disk {
    inodes: Vec<Inode>,
    /// The files as processes see them.
    names: HashMap<PathBuf, usize>,
    namings: Vec<Naming>,
    synced_namings: usize,
    /// What each sync under way covers.
    syncs: HashMap<usize, Covered>,
}

enum Covered {
    File { inode: usize, changes: usize },
    Directory { namings: usize },
}

impl Disk {
    pub(crate) fn apply(&mut self, event: &Event) {
        match event {
            Event::Created(path) => {
                if !self.names.contains_key(path) {
                    self.inodes.push(Inode::default());
                    let inode = self.inodes.len() - 1;
                    self.names.insert(path.clone(), inode);
                    self.namings.push(Naming::Create(path.clone(), inode));
                }
            }
            Event::Written { path, at, bytes } => {
                self.change(path, Change::Write { at: *at, bytes: bytes.clone() });
            }
            Event::Truncated { path, length } => self.change(path, Change::Truncate(*length)),
            Event::SyncBegan { path, number } => {
                let covered = match self.names.get(path) {
                    Some(inode) => {
                        Covered::File { inode: *inode, changes: self.inodes[*inode].changes.len() }
                    }
                    None => Covered::Directory { namings: self.namings.len() },
                };
                self.syncs.insert(*number, covered);
            }
            Event::SyncEnded { number } => match self.syncs.remove(number) {
                Some(Covered::File { inode, changes }) => {
                    let inode = &mut self.inodes[inode];
                    inode.synced = inode.synced.max(changes);
                }
                Some(Covered::Directory { namings }) => {
                    self.synced_namings = self.synced_namings.max(namings);
                }
                None => {}
            },
            Event::Renamed { from, to } => {
                if let Some(inode) = self.names.remove(from) {
                    self.names.insert(to.clone(), inode);
                }
                self.namings.push(Naming::Rename(from.clone(), to.clone()));
            }
            Event::Removed(path) => {
                self.names.remove(path);
                self.namings.push(Naming::Remove(path.clone()));
            }
        }
    }

    fn change(&mut self, path: &Path, change: Change) {
        if let Some(inode) = self.names.get(path) {
            self.inodes[*inode].changes.push(change);
        }
    }

    /// Writes the files that a power cut may leave behind: what was synced, and of the rest what
    /// the dice say. The journal of a file system keeps names in order, so of the changes of names
    /// a first part is kept; of unsynced writes any, in part or not.
    pub(crate) fn cut(&self, from: &Path, to: &Path, dice: &mut Dice) {
        let kept = self.synced_namings + dice.below(self.namings.len() - self.synced_namings + 1);
        let mut names: HashMap<&Path, usize> = HashMap::new();
        for naming in &self.namings[..kept] {
            match naming {
                Naming::Create(path, inode) => drop(names.insert(path, *inode)),
                Naming::Rename(from, to) => {
                    if let Some(inode) = names.remove(from.as_path()) {
                        names.insert(to, inode);
                    }
                }
                Naming::Remove(path) => drop(names.remove(path.as_path())),
            }
        }
        fs::create_dir_all(to).unwrap();
        for (path, inode) in names {
            // The shared index is rebuilt from the log, and its pages are written through memory.
            if !path.to_string_lossy().ends_with("-shm") {
                let name = path.strip_prefix(from).unwrap();
                fs::write(to.join(name), self.inodes[inode].cut(dice)).unwrap();
            }
        }
    }
}

impl Inode {
    fn cut(&self, dice: &mut Dice) -> Vec<u8> {
        let mut bytes = Vec::new();
        for change in &self.changes[..self.synced] {
            change.apply(&mut bytes, |_| true);
        }
        // How much survives differs from cut to cut: nothing, little, most, all.
        let odds = [0, 1, 5, 9, 10][dice.below(5)];
        for change in &self.changes[self.synced..] {
            let is_whole = dice.below(2) == 0;
            if dice.below(10) < odds {
                change.apply(&mut bytes, |_| is_whole || dice.below(2) == 0);
            }
        }
        bytes
    }
}

impl Change {
    fn apply(&self, file: &mut Vec<u8>, mut keeps_sector: impl FnMut(usize) -> bool) {
        match self {
            Self::Truncate(length) => file.resize(usize::try_from(*length).unwrap(), 0),
            Self::Write { at, bytes } => {
                let mut at = usize::try_from(*at).unwrap();
                let mut rest = bytes.as_slice();
                while !rest.is_empty() {
                    let length = (SECTOR - at % SECTOR).min(rest.len());
                    let (sector, behind) = rest.split_at(length);
                    if keeps_sector(at / SECTOR) {
                        if file.len() < at + length {
                            file.resize(at + length, 0);
                        }
                        file[at..at + length].copy_from_slice(sector);
                    }
                    at += length;
                    rest = behind;
                }
            }
        }
    }
}

/// A source of chance that falls the same way for the same seed.
pub(crate) struct Dice(TestRng);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        Self(TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
    }

    /// A number below a bound.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.0.next_u64() % bound as u64).unwrap()
    }
}

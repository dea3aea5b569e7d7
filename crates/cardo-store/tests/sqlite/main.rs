//! What the store on SQLite does beyond the port: directories, damage, full disks, compaction.

mod compaction;
mod damage;
mod full;
mod reopen;
mod support;

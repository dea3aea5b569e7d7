use std::borrow::Borrow;
use std::io;

use cardo_engine::{Listing, Table, ahead};
use cardo_model::{Record, Timestamp, write_json_string};

use super::{PIECE, Pieces, View};
use crate::documents::Link;
use crate::params::Profile;
use crate::represent::{FeatureWriter, Misplaced, Shown, write_moment};

/// What closes a feature collection.
pub(crate) const END: &[u8] = b"]}";
/// How many entities are looked at together.
const GROUP: usize = 64;

/// A feature collection up to its features. Numbers and links stand before them, so that a client
/// that reads as the answer comes has them first. There is to be `room` for what follows; `about` are the members that JSON-FG has more.
pub(crate) fn open_page(
    room: usize,
    count: Option<usize>,
    returned: usize,
    links: &[Link],
    about: &str,
) -> Vec<u8> {
    let mut out = Vec::with_capacity(room + 2_048);
    out.extend_from_slice(b"{\"type\":\"FeatureCollection\",\"timeStamp\":");
    write_moment(Timestamp::now(), &mut out);
    let mut digits = itoa::Buffer::new();
    if let Some(count) = count {
        out.extend_from_slice(b",\"numberMatched\":");
        out.extend_from_slice(digits.format(count).as_bytes());
    }
    out.extend_from_slice(b",\"numberReturned\":");
    out.extend_from_slice(digits.format(returned).as_bytes());
    out.extend_from_slice(about.as_bytes());
    out.extend_from_slice(b",\"links\":");
    write_links(links, &mut out);
    out.extend_from_slice(b",\"features\":[");
    out
}

/// Features with commas between them.
pub(crate) fn write_features(
    table: &Table,
    shown: &Shown,
    profile: Profile,
    records: &[impl Borrow<Record>],
    out: &mut Vec<u8>,
) -> Result<(), Misplaced> {
    let mut writer = FeatureWriter::new(out, table, shown).in_profile(profile);
    for (at, record) in ahead(records).enumerate() {
        if at > 0 {
            writer.out.push(b',');
        }
        writer.feature(&record.borrow().view())?;
    }
    Ok(())
}

/// The members that the root of a JSON-FG document has, behind a comma (OGC 21-045r1, clauses 8.2 and
/// 13).
pub(crate) fn json_fg_members(table: &Table, shown: &Shown, schema: &str) -> String {
    const CLASSES: &str = r#"["http://www.opengis.net/spec/json-fg-1/1.0/conf/core","http://www.opengis.net/spec/json-fg-1/1.0/conf/types-schemas"]"#;
    let text = |text: &str| {
        let mut out = Vec::new();
        write_json_string(text, &mut out);
        String::from_utf8(out).unwrap_or_default()
    };
    let (name, schema) = (text(&table.name), text(schema));
    let mut members =
        format!(",\"conformsTo\":{CLASSES},\"featureType\":{name},\"featureSchema\":{schema}");
    // The system of places, which there are none of in longitude and latitude of WGS 84.
    if !shown.system.crs.is_lon_lat() {
        members.push_str(",\"coordRefSys\":");
        members.push_str(&text(&shown.system.uri));
    }
    members
}

pub(crate) fn write_links(links: &[Link], out: &mut Vec<u8>) {
    out.push(b'[');
    for (at, link) in links.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        out.extend_from_slice(b"{\"href\":");
        write_json_string(&link.href, out);
        out.extend_from_slice(b",\"rel\":");
        write_json_string(link.rel, out);
        out.extend_from_slice(b",\"type\":");
        write_json_string(link.media_type, out);
        out.extend_from_slice(b",\"title\":");
        write_json_string(&link.title, out);
        out.push(b'}');
    }
    out.push(b']');
}

/// A feature collection piece by piece.
pub(crate) struct GeoJsonPieces {
    head: Vec<u8>,
    profile: Profile,
    view: View,
    listing: Listing,
    written: usize,
    is_closed: bool,
}

impl GeoJsonPieces {
    pub(crate) fn new(head: Vec<u8>, profile: Profile, view: View, listing: Listing) -> Self {
        Self { head, profile, view, listing, written: 0, is_closed: false }
    }
}

impl Pieces for GeoJsonPieces {
    fn next(&mut self, out: &mut Vec<u8>) -> io::Result<bool> {
        if self.is_closed {
            return Ok(false);
        }
        out.reserve(PIECE + PIECE / 4);
        out.append(&mut self.head);
        let Some(table) = self.view.table() else { return Ok(false) };
        while out.len() < PIECE && self.written < self.listing.len() {
            let records = self.listing.gather(self.written..self.written + GROUP);
            if self.written > 0 {
                out.push(b',');
            }
            self.written += records.len();
            write_features(table, &self.view.shown, self.profile, &records, out)
                .map_err(io::Error::other)?;
        }
        if self.written == self.listing.len() {
            out.extend_from_slice(END);
            self.is_closed = true;
        }
        Ok(true)
    }
}

//! Notifications as they are sent (clauses 5.3.1, 5.8.6 and 6.3.8).

use axum::http::header::{CONTENT_TYPE, LINK};
use axum::http::{HeaderMap, HeaderValue};
use cardo_engine::Caller;
use cardo_http::TENANT;
use cardo_jsonld::Context;
use cardo_model::{NameId, Record, Revision, Timestamp, TwinId, write_json_string};
use uuid::Uuid;

use super::matcher::News;
use super::model::{Subscription, Topic};
use super::port::Message;
use super::told::Told;
use crate::face::Face;
use crate::fault::Fault;
use crate::operations::Shaped;
use crate::represent::{EntityWriter, NameTable, Shape};
use crate::request::Media;
use crate::snapshots::SNAPSHOT;

/// Makes the notifications of one subscription.
pub(crate) struct Rendering<'a> {
    pub(crate) face: &'a Face,
    pub(crate) caller: &'a Caller,
    pub(crate) subscription: &'a Subscription,
}

const LOCATION: &str = "https://uri.etsi.org/ngsi-ld/location";

impl Rendering<'_> {
    /// The message that tells of these news.
    pub(crate) async fn message(&self, news: &[News], now: Timestamp, id: Uuid) -> Message {
        let subscription = self.subscription;
        let endpoint = &subscription.notification.endpoint;
        let (media, in_body) = (endpoint.accept, endpoint.has_context());
        let body = self.body(news, now, id).await;
        envelope(subscription, &self.caller.twin, media, in_body, body)
    }

    /// The notification alone.
    pub(crate) async fn body(&self, news: &[News], now: Timestamp, id: Uuid) -> Vec<u8> {
        let Self { face, subscription, .. } = self;
        let representation = &subscription.notification.representation;
        let names = face.engine.names();
        // It was read when the subscription was made, so it can be read.
        let shape = representation.shape(&face.options.limits, names).unwrap_or_default();
        let linked = self.linked(news, &shape).await;
        let id = format!("urn:ngsi-ld:Notification:{id}");
        let capacity = 512 + news.iter().map(|one| one.record.as_bytes().len() * 2).sum::<usize>();
        let naming = &subscription.naming;
        let location = names.id_or_unknown(LOCATION);
        naming.write(names, capacity, |out, table| {
            if let Some(join) = shape.join() {
                join.begin();
            }
            let mut page =
                Page { subscription, shape: &shape, context: naming.context(), location };
            out.extend_from_slice(b"{\"id\":\"");
            out.extend_from_slice(id.as_bytes());
            out.extend_from_slice(b"\",\"type\":\"Notification\",\"subscriptionId\":");
            write_json_string(subscription.id.as_str(), out);
            out.extend_from_slice(b",\"notifiedAt\":\"");
            now.write_to(out);
            out.extend_from_slice(b"\",");
            page.write(news, &linked, out, table);
            if out.last() == Some(&b',') {
                out.pop();
            }
            out.push(b'}');
        })
    }

    /// What the entities lead to, as it is now (clause 4.5.23).
    async fn linked(&self, news: &[News], shape: &Shape) -> Vec<Shaped> {
        if shape.join().is_none() {
            return Vec::new();
        }
        let there = news.iter().filter(|one| !one.is_deleted);
        let roots: Vec<Record> = there.map(|one| one.record.clone()).collect();
        let found = async {
            let snapshot = self.face.engine.snapshot(self.caller).await?;
            self.face.linked(self.caller, &snapshot, &roots, shape).await
        };
        found.await.unwrap_or_else(|fault: Fault| {
            let id = self.subscription.id.as_str();
            let problem = fault.to_json();
            tracing::warn!(subscription = id, %problem, "a notification is without linked entities");
            Vec::new()
        })
    }
}

/// The data of one notification.
struct Page<'a> {
    subscription: &'a Subscription,
    shape: &'a Shape,
    context: &'a Context,
    location: NameId,
}

impl Page<'_> {
    fn write(
        &mut self,
        news: &[News],
        linked: &[Shaped],
        out: &mut Vec<u8>,
        table: &mut NameTable<'_>,
    ) {
        let endpoint = &self.subscription.notification.endpoint;
        let (media, in_body) = (endpoint.accept, endpoint.has_context());
        let is_collection = media == Media::GeoJson;
        out.extend_from_slice(b"\"data\":");
        if is_collection {
            out.extend_from_slice(b"{\"type\":\"FeatureCollection\",\"features\":");
        }
        out.push(b'[');
        let geometry = is_collection.then_some(self.location);
        for one in news {
            self.one(one, geometry, in_body && !is_collection, out, table);
        }
        for (record, shape) in linked {
            let mut writer = EntityWriter::new(out, table, self.context, shape);
            writer.listed(record, geometry, in_body && !is_collection);
        }
        let mut writer = EntityWriter::new(out, table, self.context, self.shape);
        writer.close(b']');
        writer.out.push(b',');
        if is_collection {
            if in_body {
                writer.context_member();
            }
            writer.close(b'}');
            writer.out.push(b',');
        } else if in_body {
            writer.context_member();
        }
    }

    fn one(
        &self,
        news: &News,
        geometry: Option<NameId>,
        in_body: bool,
        out: &mut Vec<u8>,
        table: &mut NameTable<'_>,
    ) {
        let outermost = self.shape.outermost(&news.record);
        let shape = outermost.as_ref().unwrap_or(self.shape);
        let show_changes = self.subscription.notification.show_changes;
        let mut writer = EntityWriter::new(out, table, self.context, shape);
        let is_plain = !news.is_deleted
            && !show_changes
            && news.changes.iter().all(|change| change.is.is_some());
        match geometry {
            None if is_plain => {
                if !writer.entity(news.record.view(), in_body) {
                    writer.out.extend_from_slice(b"{}");
                }
            }
            Some(geometry) if is_plain => writer.feature(news.record.view(), geometry, in_body),
            None => Told { news, show_changes }.entity(&mut writer, in_body),
            Some(geometry) => Told { news, show_changes }.feature(&mut writer, geometry),
        }
        out.push(b',');
    }
}

/// A message with all that stands around its body (clauses 6.3.8 and 7.2).
pub(crate) fn envelope(
    subscription: &Subscription,
    twin: &TwinId,
    media: Media,
    in_body: bool,
    mut body: Vec<u8>,
) -> Message {
    let endpoint = &subscription.notification.endpoint;
    let mut headers = endpoint.own_headers();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media.as_str()));
    if let (false, Some(link)) = (in_body, subscription.naming.link()) {
        headers.insert(LINK, link.clone());
    }
    if !twin.tenant().is_empty() {
        headers.extend(HeaderValue::try_from(twin.tenant()).ok().map(|name| (TENANT, name)));
    }
    if !twin.is_main() {
        headers.extend(HeaderValue::try_from(twin.branch()).ok().map(|name| (SNAPSHOT, name)));
    }
    if let Some(topic) = &endpoint.mqtt {
        body = for_broker(&headers, topic, &body);
        headers.clear();
    }
    Message {
        endpoint: endpoint.uri.clone(),
        headers,
        mqtt: endpoint.mqtt.as_ref().map(|topic| topic.parameters),
        body: body.into(),
        timeout: endpoint.timeout,
    }
}

/// The id of a notification, the same whenever it is sent: one that was under way when the server
/// was killed is sent again, and whoever has received it knows it by that.
pub(super) fn notification_id(twin: &TwinId, id: &str, revision: Revision, part: u32) -> Uuid {
    // FNV-1a (draft-eastlake-fnv), which does not change from one version to the next.
    const PRIME: u128 = 0x0100_0000_0000_0000_0000_013B;
    let mut hash: u128 = 0x6C62_272E_07BB_0142_62B8_2175_6295_C58D;
    let (revision, part) = (revision.0.to_be_bytes(), part.to_be_bytes());
    for text in
        [twin.tenant().as_bytes(), twin.branch().as_bytes(), id.as_bytes(), &revision, &part]
    {
        for byte in text.iter().chain(&[0xFF]) {
            hash = (hash ^ u128::from(*byte)).wrapping_mul(PRIME);
        }
    }
    uuid::Builder::from_custom_bytes(hash.to_be_bytes()).into_uuid()
}

/// Clause 7.2: what HTTP has in headers stands beside the notification.
fn for_broker(headers: &HeaderMap, topic: &Topic, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len() + 512);
    out.extend_from_slice(b"{\"metadata\":{");
    let names = [("Content-Type", CONTENT_TYPE), ("Link", LINK), ("NGSILD-Tenant", TENANT)];
    let own = names.iter().filter_map(|(name, header)| {
        headers.get(header).and_then(|value| value.to_str().ok()).map(|value| (*name, value))
    });
    let is_told = |key: &str| names.iter().any(|(name, _)| name.eq_ignore_ascii_case(key));
    let others = topic.metadata.iter().map(|(key, value)| (key.as_str(), value.as_str()));
    for (key, value) in own.chain(others.filter(|(key, _)| !is_told(key))) {
        write_json_string(key, &mut out);
        out.push(b':');
        write_json_string(value, &mut out);
        out.push(b',');
    }
    close(&mut out, b'}');
    out.extend_from_slice(b",\"body\":");
    out.extend_from_slice(body);
    out.push(b'}');
    out
}

fn close(out: &mut Vec<u8>, bracket: u8) {
    match out.last_mut() {
        Some(last) if *last == b',' => *last = bracket,
        _ => out.push(bracket),
    }
}

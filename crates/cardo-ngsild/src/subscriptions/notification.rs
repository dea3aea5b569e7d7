//! Notifications as they are sent (clauses 5.3.1, 5.8.6 and 6.3.8).

use std::sync::Arc;

use axum::http::header::{CONTENT_TYPE, LINK};
use axum::http::{HeaderMap, HeaderValue};
use cardo_http::TENANT;
use cardo_jsonld::Context;
use cardo_model::{
    AttributeRef, InstanceChange, InstanceRef, Kind, NameId, Names, Record, Timestamp, TwinId,
    write_json_string,
};

use super::matcher::News;
use super::model::{Subscription, Topic};
use super::port::Message;
use crate::operations::{ProjectionText, members};
use crate::represent::{EntityWriter, Format, NameTable, Shape, Special};
use crate::request::Media;

/// Renders notifications of one subscription.
pub(crate) struct Renderer<'a> {
    pub(crate) subscription: &'a Subscription,
    pub(crate) names: &'a Names,
    pub(crate) twin: &'a TwinId,
}

const LOCATION: &str = "https://uri.etsi.org/ngsi-ld/location";

impl Renderer<'_> {
    /// The message that tells of these news.
    pub(crate) fn message(&self, news: &[News], now: Timestamp) -> Message {
        let subscription = self.subscription;
        let endpoint = &subscription.notification.endpoint;
        let media = endpoint.accept;
        let in_body = match media {
            Media::Json => false,
            Media::JsonLd => true,
            Media::GeoJson => !endpoint.prefers_json(),
        };
        let mut headers = endpoint.own_headers();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(media.as_str()));
        if let (false, Some(link)) = (in_body, subscription.naming.link()) {
            headers.insert(LINK, link.clone());
        }
        if !self.twin.tenant().is_empty() {
            headers
                .extend(HeaderValue::try_from(self.twin.tenant()).ok().map(|name| (TENANT, name)));
        }
        let mut body = self.body(news, now, media, in_body);
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

    fn body(&self, news: &[News], now: Timestamp, media: Media, in_body: bool) -> Vec<u8> {
        let shape = self.shape();
        let id = format!("urn:ngsi-ld:Notification:{}", uuid::Uuid::new_v4());
        let capacity = 512 + news.iter().map(|one| one.record.as_bytes().len() * 2).sum::<usize>();
        let naming = &self.subscription.naming;
        naming.write(self.names, capacity, |out, table| {
            out.extend_from_slice(b"{\"id\":\"");
            out.extend_from_slice(id.as_bytes());
            out.extend_from_slice(b"\",\"type\":\"Notification\",\"subscriptionId\":");
            write_json_string(self.subscription.id.as_str(), out);
            out.extend_from_slice(b",\"notifiedAt\":\"");
            now.write_to(out);
            out.extend_from_slice(b"\",");
            let mut page =
                Page { renderer: self, shape: &shape, context: naming.context(), now, in_body };
            match media {
                Media::Json | Media::JsonLd => page.entities(news, out, table),
                Media::GeoJson => page.features(news, out, table),
            }
            if in_body && media == Media::JsonLd {
                let mut writer = EntityWriter::new(out, table, naming.context(), &shape);
                writer.context_member();
            }
            if out.last() == Some(&b',') {
                out.pop();
            }
            out.push(b'}');
        })
    }

    fn shape(&self) -> Shape {
        let notification = &self.subscription.notification;
        let text = ProjectionText {
            attrs: notification.attributes.as_deref(),
            pick: notification.pick.as_deref(),
            omit: notification.omit.as_deref(),
        };
        let members = members(text, &Context::core(), self.names).map(|(members, _)| members);
        Shape {
            // Changes are told in full, so that previous values have a place beside the new ones.
            format: if notification.show_changes {
                Format::Normalized
            } else {
                notification.format
            },
            sys_attrs: notification.sys_attrs,
            members: members.unwrap_or_default(),
            datasets: notification.datasets.clone(),
            special: notification
                .languages
                .clone()
                .map(|lang| Arc::new(Special { lang: Some(lang), ..Special::default() })),
        }
    }
}

/// The data of one notification.
struct Page<'a> {
    renderer: &'a Renderer<'a>,
    shape: &'a Shape,
    context: &'a Context,
    now: Timestamp,
    in_body: bool,
}

impl Page<'_> {
    fn entities(&mut self, news: &[News], out: &mut Vec<u8>, table: &mut NameTable<'_>) {
        out.extend_from_slice(b"\"data\":[");
        for one in news {
            self.entity(one, out, table);
            out.push(b',');
        }
        close(out, b']');
        out.push(b',');
    }

    fn features(&mut self, news: &[News], out: &mut Vec<u8>, table: &mut NameTable<'_>) {
        let location = self.renderer.names.id_or_unknown(LOCATION);
        out.extend_from_slice(b"\"data\":{\"type\":\"FeatureCollection\",\"features\":[");
        for one in news {
            self.writer(out, table).feature(one.record.view(), location, false);
            out.push(b',');
        }
        close(out, b']');
        out.push(b',');
        if self.in_body {
            self.writer(out, table).context_member();
        }
        close(out, b'}');
        out.push(b',');
    }

    fn writer<'w, 't>(
        &'w self,
        out: &'w mut Vec<u8>,
        table: &'w mut NameTable<'t>,
    ) -> EntityWriter<'w, 't> {
        EntityWriter::new(out, table, self.context, self.shape)
    }

    fn entity(&mut self, news: &News, out: &mut Vec<u8>, table: &mut NameTable<'_>) {
        let show_changes = self.renderer.subscription.notification.show_changes;
        if news.is_deleted {
            return self.deleted_entity(news, show_changes, out, table);
        }
        let gone: Vec<&InstanceChange> =
            news.changes.iter().filter(|change| change.is.is_none()).collect();
        if gone.is_empty() && !show_changes {
            let is_written = self.writer(out, table).entity(news.record.view(), self.in_body);
            if !is_written {
                out.extend_from_slice(b"{}");
            }
            return;
        }
        self.head(&news.record, out, table);
        for attribute in news.record.view().attributes() {
            if !self.shape.members.has_attribute(attribute.name()) {
                continue;
            }
            let is_changed = news.changes.iter().any(|change| change.name == attribute.name());
            let lost: Vec<&InstanceChange> =
                gone.iter().copied().filter(|change| change.name == attribute.name()).collect();
            if !lost.is_empty() {
                self.thinned_attribute(attribute, &lost, out, table);
            } else if show_changes && is_changed {
                self.changed_attribute(attribute.name(), news, out, table);
            } else {
                self.writer(out, table).attribute(attribute);
            }
        }
        for change in gone {
            let is_still_there = news.record.view().attribute(change.name).is_some();
            if !is_still_there && self.shape.members.has_attribute(change.name) {
                let key = table.key(change.name);
                out.extend_from_slice(key);
                self.deleted_instance(change, show_changes, out, table);
                out.push(b',');
            }
        }
        self.tail(out, table);
    }

    /// Clause 5.8.6: of a deleted entity only the time of its deletion is told, unless changes are
    /// to be shown, or the deletion of an attribute is what counts.
    fn deleted_entity(
        &mut self,
        news: &News,
        show_changes: bool,
        out: &mut Vec<u8>,
        table: &mut NameTable<'_>,
    ) {
        self.head(&news.record, out, table);
        self.writer(out, table).moment("deletedAt", Some(self.now));
        if show_changes || news.attributes_are_told {
            for change in &news.changes {
                if self.shape.members.has_attribute(change.name) {
                    let key = table.key(change.name);
                    out.extend_from_slice(key);
                    self.deleted_instance(change, show_changes, out, table);
                    out.push(b',');
                }
            }
        }
        self.tail(out, table);
    }

    fn head(&mut self, record: &Record, out: &mut Vec<u8>, table: &mut NameTable<'_>) {
        let view = record.view();
        let mut writer = self.writer(out, table);
        writer.out.push(b'{');
        if writer.shape.members.has_id() {
            writer.out.extend_from_slice(b"\"id\":\"");
            writer.out.extend_from_slice(view.id_bytes());
            writer.out.extend_from_slice(b"\",");
        }
        writer.types(view);
        writer.scopes(view);
        if writer.shape.sys_attrs {
            writer.moment("createdAt", Some(view.created_at()));
            writer.moment("modifiedAt", Some(view.modified_at()));
            writer.moment("expiresAt", view.expires_at());
        }
    }

    fn tail(&mut self, out: &mut Vec<u8>, table: &mut NameTable<'_>) {
        if self.in_body {
            self.writer(out, table).context_member();
        }
        close(out, b'}');
    }

    /// An attribute of which some instances are left and others are gone.
    fn thinned_attribute(
        &mut self,
        attribute: AttributeRef<'_>,
        lost: &[&InstanceChange],
        out: &mut Vec<u8>,
        table: &mut NameTable<'_>,
    ) {
        let show_changes = self.renderer.subscription.notification.show_changes;
        let is_simplified = self.shape.format == Format::Simplified;
        let key = table.key(attribute.name());
        out.extend_from_slice(key);
        out.extend_from_slice(if is_simplified { b"{\"dataset\":{" } else { b"[" });
        for instance in attribute.instances() {
            if is_simplified {
                write_json_string(instance.dataset_id().unwrap_or("@none"), out);
                out.push(b':');
                self.writer(out, table).simplified(&instance);
            } else {
                self.writer(out, table).one_of_several(&instance);
            }
            out.push(b',');
        }
        for change in lost {
            if is_simplified {
                write_json_string(change.dataset_id().unwrap_or("@none"), out);
                out.extend_from_slice(b":\"urn:ngsi-ld:null\"");
            } else {
                self.deleted_instance(change, show_changes, out, table);
            }
            out.push(b',');
        }
        close(out, if is_simplified { b'}' } else { b']' });
        out.extend_from_slice(if is_simplified { b"}," } else { b"," });
    }

    /// An attribute whose changed instances say what they were (`showChanges`).
    fn changed_attribute(
        &mut self,
        name: NameId,
        news: &News,
        out: &mut Vec<u8>,
        table: &mut NameTable<'_>,
    ) {
        let Some(attribute) = news.record.view().attribute(name) else { return };
        let wanted: Vec<InstanceRef<'_>> =
            attribute.instances().filter(|i| self.shape.datasets.has(i.dataset_id())).collect();
        if wanted.is_empty() {
            return;
        }
        let key = table.key(name);
        out.extend_from_slice(key);
        let is_one = wanted.len() == 1;
        if !is_one {
            out.push(b'[');
        }
        for instance in wanted {
            self.writer(out, table).instance(&instance);
            let change = news.changes.iter().find(|change| {
                change.name == name
                    && change.is().is_some_and(|is| is.dataset_id() == instance.dataset_id())
            });
            if let Some(was) = change.and_then(InstanceChange::was) {
                self.previous(was, out, table);
            }
            out.push(b',');
        }
        if is_one {
            return;
        }
        close(out, b']');
        out.push(b',');
    }

    /// Adds the previous value to an instance that was just written.
    fn previous(&mut self, was: InstanceRef<'_>, out: &mut Vec<u8>, table: &mut NameTable<'_>) {
        let member = match was.kind() {
            Kind::Property | Kind::GeoProperty => "previousValue",
            Kind::Relationship => "previousObject",
            Kind::LanguageProperty => "previousLanguageMap",
            Kind::VocabProperty => "previousVocab",
            Kind::JsonProperty => "previousJson",
            Kind::ListProperty => "previousValueList",
            Kind::ListRelationship => "previousObjectList",
        };
        if out.last() == Some(&b'}') {
            out.pop();
        }
        out.extend_from_slice(format!(",\"{member}\":").as_bytes());
        self.writer(out, table).value(&was);
        out.push(b'}');
    }

    /// Clause 5.8.6: NGSI-LD null, as an object where more is to be said than that.
    fn deleted_instance(
        &mut self,
        change: &InstanceChange,
        show_changes: bool,
        out: &mut Vec<u8>,
        table: &mut NameTable<'_>,
    ) {
        let Some(was) = change.was() else {
            out.extend_from_slice(b"\"urn:ngsi-ld:null\"");
            return;
        };
        let sys_attrs = self.shape.sys_attrs;
        let is_whole = self.shape.format == Format::Normalized;
        if was.dataset_id().is_none() && !sys_attrs && !show_changes && !is_whole {
            out.extend_from_slice(b"\"urn:ngsi-ld:null\"");
            return;
        }
        let kind = was.kind();
        let null: &[u8] = match kind {
            Kind::LanguageProperty => b"{\"@none\":\"urn:ngsi-ld:null\"}",
            Kind::ListProperty | Kind::ListRelationship => b"[\"urn:ngsi-ld:null\"]",
            _ => b"\"urn:ngsi-ld:null\"",
        };
        out.extend_from_slice(
            format!("{{\"type\":\"{}\",\"{}\":", kind.as_str(), kind.value_member()).as_bytes(),
        );
        out.extend_from_slice(null);
        if let Some(dataset_id) = was.dataset_id() {
            out.extend_from_slice(b",\"datasetId\":");
            write_json_string(dataset_id, out);
        }
        if sys_attrs {
            out.push(b',');
            let mut writer = self.writer(out, table);
            writer.moment("createdAt", Some(was.created_at()));
            writer.moment("modifiedAt", Some(was.modified_at()));
            writer.moment("deletedAt", Some(self.now));
            out.pop();
        }
        out.push(b'}');
        if show_changes {
            self.previous(was, out, table);
        }
    }
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

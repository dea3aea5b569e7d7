//! Packets that are sent.

use super::connection::Login;
use super::{Quality, Version};

/// Appends text with its length before it (1.5.3).
fn text(value: &[u8], out: &mut Vec<u8>) {
    let length = u16::try_from(value.len()).unwrap_or(u16::MAX);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(&value[..usize::from(length)]);
}

/// A packet of a first byte and what follows its length (2.2.3).
fn packet(first: u8, rest: &[u8]) -> Vec<u8> {
    let mut out = vec![first];
    let mut left = rest.len();
    loop {
        let byte = u8::try_from(left % 128).unwrap_or_default();
        left /= 128;
        out.push(if left > 0 { byte | 0x80 } else { byte });
        if left == 0 {
            break;
        }
    }
    out.extend_from_slice(rest);
    out
}

/// CONNECT (3.1).
pub(super) fn connect(login: &Login, keep_alive_seconds: u16) -> Vec<u8> {
    let mut rest = Vec::new();
    text(b"MQTT", &mut rest);
    rest.push(match login.version {
        Version::V3 => 4,
        Version::V5 => 5,
    });
    let user = u8::from(login.username.is_some()) << 7;
    let password = u8::from(login.password.is_some()) << 6;
    let clean = u8::from(login.is_clean) << 1;
    rest.push(user | password | clean);
    rest.extend_from_slice(&keep_alive_seconds.to_be_bytes());
    if login.version == Version::V5 {
        // Session Expiry Interval (3.1.2.11.2).
        rest.extend_from_slice(&[5, 0x11]);
        rest.extend_from_slice(&login.session_seconds.to_be_bytes());
    }
    text(login.client_id.as_bytes(), &mut rest);
    for value in [&login.username, &login.password].into_iter().flatten() {
        text(value.as_bytes(), &mut rest);
    }
    packet(0x10, &rest)
}

/// SUBSCRIBE (3.8) at quality of service 1.
pub(super) fn subscribe<'a>(id: u16, filters: impl Iterator<Item = &'a str>) -> Vec<u8> {
    let mut rest = id.to_be_bytes().to_vec();
    for filter in filters {
        text(filter.as_bytes(), &mut rest);
        rest.push(1);
    }
    packet(0x82, &rest)
}

/// PUBACK (3.4).
pub(super) fn acknowledgement(id: u16) -> [u8; 4] {
    let [high, low] = id.to_be_bytes();
    [0x40, 2, high, low]
}

/// PUBLISH (3.3); `id` counts where the quality of service is above 0.
pub(super) fn publish(
    version: Version,
    topic: &str,
    payload: &[u8],
    quality: Quality,
    id: u16,
) -> Vec<u8> {
    let mut rest = Vec::with_capacity(topic.len() + payload.len() + 32);
    text(topic.as_bytes(), &mut rest);
    if quality != Quality::AtMostOnce {
        rest.extend_from_slice(&id.to_be_bytes());
    }
    if version == Version::V5 {
        // The payload is UTF-8 (3.3.2.3.2), and JSON (3.3.2.3.9).
        let content = b"application/json";
        rest.extend_from_slice(&[21, 0x01, 1, 0x03]);
        text(content, &mut rest);
    }
    rest.extend_from_slice(payload);
    packet(0x30 | quality.level() << 1, &rest)
}

/// Says that a message may have been sent before (3.3.1.1).
pub(super) fn mark_repeated(publish: &mut [u8]) {
    if let Some(first) = publish.first_mut() {
        *first |= 8;
    }
}

/// PUBREL (3.6).
pub(super) fn release(id: u16) -> [u8; 4] {
    let [high, low] = id.to_be_bytes();
    [0x62, 2, high, low]
}

/// DISCONNECT (3.14), which ends the session too.
pub(super) fn disconnect(version: Version) -> &'static [u8] {
    match version {
        Version::V3 => &[0xE0, 0],
        Version::V5 => &[0xE0, 7, 0, 5, 0x11, 0, 0, 0, 0],
    }
}

/// PINGREQ (3.12).
pub(super) const PING: [u8; 2] = [0xC0, 0];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_written_in_groups_of_seven_bits() {
        assert_eq!(packet(0x10, &[0; 127])[..2], [0x10, 127]);
        assert_eq!(packet(0x10, &[0; 128])[..3], [0x10, 0x80, 1]);
        assert_eq!(packet(0x10, &[0; 16_384])[..4], [0x10, 0x80, 0x80, 1]);
    }

    #[test]
    fn a_login_says_which_parts_it_has() {
        let login = Login {
            client_id: "c".into(),
            username: Some("u".into()),
            password: Some("p".into()),
            version: Version::V3,
            ..Login::default()
        };
        let bytes = connect(&login, 30);
        assert_eq!(bytes[..10], [0x10, 19, 0, 4, b'M', b'Q', b'T', b'T', 4, 0xC0]);
        assert_eq!(bytes[10..], [0, 30, 0, 1, b'c', 0, 1, b'u', 0, 1, b'p']);
        assert_eq!(subscribe(7, ["a/+"].into_iter()), [0x82, 8, 0, 7, 0, 3, b'a', b'/', b'+', 1]);
    }

    #[test]
    fn version_5_has_properties() {
        let login = Login {
            client_id: "c".into(),
            is_clean: true,
            session_seconds: 258,
            ..Login::default()
        };
        let bytes = connect(&login, 30);
        assert_eq!(bytes[..10], [0x10, 19, 0, 4, b'M', b'Q', b'T', b'T', 5, 2]);
        assert_eq!(bytes[10..], [0, 30, 5, 0x11, 0, 0, 1, 2, 0, 1, b'c']);
        let old = publish(Version::V3, "a", b"{}", Quality::AtMostOnce, 9);
        assert_eq!(old, [0x30, 5, 0, 1, b'a', b'{', b'}']);
        let new = publish(Version::V5, "a", b"{}", Quality::ExactlyOnce, 9);
        assert_eq!(new[..10], [0x34, 29, 0, 1, b'a', 0, 9, 21, 1, 1]);
        assert_eq!(new[10..13], [3, 0, 16]);
        assert_eq!(new[13..], *b"application/json{}");
    }
}

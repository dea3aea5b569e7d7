//! Packets that are sent.

use super::connection::Login;

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

/// CONNECT (3.1) that takes up the session that the broker keeps.
pub(super) fn connect(login: &Login, keep_alive_seconds: u16) -> Vec<u8> {
    let mut rest = Vec::new();
    text(b"MQTT", &mut rest);
    rest.push(4);
    let user = u8::from(login.username.is_some()) << 7;
    let password = u8::from(login.password.is_some()) << 6;
    rest.push(user | password);
    rest.extend_from_slice(&keep_alive_seconds.to_be_bytes());
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
        let login =
            Login { client_id: "c".into(), username: Some("u".into()), password: Some("p".into()) };
        let bytes = connect(&login, 30);
        assert_eq!(bytes[..10], [0x10, 19, 0, 4, b'M', b'Q', b'T', b'T', 4, 0xC0]);
        assert_eq!(bytes[10..], [0, 30, 0, 1, b'c', 0, 1, b'u', 0, 1, b'p']);
        assert_eq!(subscribe(7, ["a/+"].into_iter()), [0x82, 8, 0, 7, 0, 3, b'a', b'/', b'+', 1]);
    }
}

//! What a broker answers to a login and to messages.

use super::Quality;
use super::connection::MqttError;

/// CONNACK (3.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Whether the broker keeps a session of the client.
    pub session: bool,
    /// 0 where the client is let in.
    pub code: u8,
    /// The best quality of service that it takes (version 5).
    pub best: Quality,
    /// The largest packet that it takes (version 5).
    pub max_packet: Option<u32>,
}

/// Which of the acknowledgements of a message it is (3.4, 3.5 and 3.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acknowledged {
    /// PUBACK: the broker has it, at quality of service 1.
    Taken,
    /// PUBREC: it has it, at quality of service 2.
    Received,
    /// PUBCOMP: it has forgotten the number of the message.
    Complete,
}

/// Reads the body of a CONNACK of either version.
pub(super) fn connack(body: &[u8]) -> Result<Answer, MqttError> {
    let wrong = || MqttError::Protocol("an answer to the login that is none".to_owned());
    let [flags, code, rest @ ..] = body else { return Err(wrong()) };
    let mut answer = Answer {
        session: flags & 1 == 1,
        code: *code,
        best: Quality::ExactlyOnce,
        max_packet: None,
    };
    if !rest.is_empty() {
        properties(rest, |id, value| match (id, value) {
            (0x24, [0]) => answer.best = Quality::AtMostOnce,
            (0x24, [_]) => answer.best = Quality::AtLeastOnce,
            (0x27, [a, b, c, d]) => answer.max_packet = Some(u32::from_be_bytes([*a, *b, *c, *d])),
            _ => {}
        })
        .ok_or_else(wrong)?;
    }
    Ok(answer)
}

/// Hands out each property (version 5, 2.2.2) with the bytes of its value.
fn properties(bytes: &[u8], mut each: impl FnMut(u8, &[u8])) -> Option<()> {
    let (length, mut rest) = number(bytes)?;
    rest = rest.get(..length)?;
    while let Some((id, behind)) = rest.split_first() {
        let text = |from: usize| {
            let length = behind.get(from..from + 2)?;
            Some(from + 2 + usize::from(u16::from_be_bytes([length[0], length[1]])))
        };
        let size = match id {
            0x01 | 0x17 | 0x19 | 0x24 | 0x25 | 0x28 | 0x29 | 0x2A => 1,
            0x13 | 0x21 | 0x22 | 0x23 => 2,
            0x02 | 0x11 | 0x18 | 0x27 => 4,
            0x0B => behind.len() - number(behind)?.1.len(),
            0x03 | 0x08 | 0x09 | 0x12 | 0x15 | 0x16 | 0x1A | 0x1C | 0x1F => text(0)?,
            0x26 => text(text(0)?)?,
            _ => return None,
        };
        each(*id, behind.get(..size)?);
        rest = &behind[size..];
    }
    Some(())
}

/// A number in groups of seven bits, and what follows it.
fn number(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0;
    for (place, byte) in bytes.iter().take(4).enumerate() {
        value |= usize::from(byte & 0x7F) << (7 * place);
        if byte & 0x80 == 0 {
            return Some((value, &bytes[place + 1..]));
        }
    }
    None
}

/// What a code means that refuses a login or a message; those of 3.1.1 (3.2.2.3) are below 128.
pub(super) fn meaning(code: u8) -> &'static str {
    match code {
        1 | 0x84 => "it does not speak this version of MQTT",
        2 | 0x85 => "it does not allow the client id",
        3 | 0x88 => "it is not available",
        4 | 0x86 => "user name or password are wrong",
        5 | 0x87 => "it is not authorized",
        0x89 => "it is busy",
        0x8A => "it is banned",
        0x8B => "it shuts down",
        0x8C => "it wants another way of authentication",
        0x90 => "it does not allow the topic",
        0x95 => "the packet is too large for it",
        0x96 | 0x9F => "messages come too fast for it",
        0x97 => "a quota is used up",
        0x99 => "it expects another format",
        0x9B => "it does not take this quality of service",
        0x9C | 0x9D => "another server is to be used",
        _ => "without a known reason",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_says_what_the_broker_takes() {
        let plain = connack(&[1, 0]).unwrap();
        assert_eq!(
            (plain.session, plain.best, plain.max_packet),
            (true, Quality::ExactlyOnce, None)
        );
        let properties = [0x22, 0, 10, 0x24, 1, 0x1F, 0, 2, b'o', b'k', 0x27, 0, 0, 4, 0];
        let mut body = vec![0, 0, u8::try_from(properties.len()).unwrap()];
        body.extend(properties);
        let five = connack(&body).unwrap();
        assert_eq!((five.best, five.max_packet), (Quality::AtLeastOnce, Some(1024)));
    }

    #[test]
    fn what_breaks_off_or_is_unknown_is_an_error() {
        for body in
            [&[0][..], &[0, 0, 5, 0x24], &[0, 0, 2, 0x99, 0], &[0, 0, 3, 0x1F, 0, 9], &[0, 0, 0x80]]
        {
            assert!(connack(body).is_err(), "{body:?}");
        }
    }
}

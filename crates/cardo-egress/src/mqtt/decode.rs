//! Packets that are received, out of bytes that arrive in pieces.

use bytes::{Buf, BytesMut};

use super::answers::{Acknowledged, Answer, connack};
use super::connection::MqttError;

/// The longest packet that is no message.
const MAX_OTHER: usize = 64 << 10;

/// What a broker says.
#[derive(Debug, PartialEq, Eq)]
pub enum Event {
    /// CONNACK (3.2).
    Connected(Answer),
    /// SUBACK (3.9).
    Subscribed {
        /// One a filter: the quality of service, or why there is none.
        codes: Vec<u8>,
    },
    /// PUBLISH (3.3).
    Message(Message),
    /// PUBACK, PUBREC and PUBCOMP (3.4, 3.5 and 3.7).
    Acknowledged {
        /// Which of them.
        step: Acknowledged,
        /// The number of the message.
        id: u16,
        /// 128 and above where it was refused (version 5).
        code: u8,
    },
    /// PINGRESP (3.13).
    Alive,
    /// DISCONNECT (3.14 of version 5), with the reason.
    Disconnected {
        /// Why.
        code: u8,
    },
}

/// A message.
#[derive(Debug, PartialEq, Eq)]
pub struct Message {
    /// What it is about.
    pub topic: String,
    /// `Err` with its size where it is larger than is taken; it was passed over.
    pub payload: Result<Vec<u8>, u64>,
    /// By which the broker wants it acknowledged; none at quality of service 0.
    pub id: Option<u16>,
}

/// A message that is passed over.
#[derive(Debug)]
struct Passing {
    topic: String,
    size: usize,
    id: Option<u16>,
    left: usize,
}

/// Makes packets of bytes.
#[derive(Debug)]
pub(super) struct Decoder {
    pub(super) buffer: BytesMut,
    passing: Option<Passing>,
    max_payload: usize,
}

/// First byte, length of the fixed header, and length of the rest.
type Fixed = (u8, usize, usize);

impl Decoder {
    pub(super) fn new(max_payload: usize) -> Self {
        Self { buffer: BytesMut::new(), passing: None, max_payload }
    }

    /// The next packet that is there whole.
    pub(super) fn next(&mut self) -> Result<Option<Event>, MqttError> {
        if self.passing.is_some() {
            return Ok(self.pass_over());
        }
        let Some((first, head, rest)) = fixed_header(&self.buffer)? else { return Ok(None) };
        if first >> 4 == 3 {
            return self.message(first, head, rest);
        }
        if rest > MAX_OTHER || !matches!(first, 0x20 | 0x40 | 0x50 | 0x70 | 0x90 | 0xD0 | 0xE0) {
            return Err(MqttError::Protocol(format!("a packet {first:#x} of {rest} bytes")));
        }
        if self.buffer.len() < head + rest {
            return Ok(None);
        }
        self.buffer.advance(head);
        let body = self.buffer.split_to(rest);
        match (first >> 4, &body[..]) {
            (2, body) => Ok(Some(Event::Connected(connack(body)?))),
            (4 | 5 | 7, [high, low, rest @ ..]) => {
                let step = match first >> 4 {
                    4 => Acknowledged::Taken,
                    5 => Acknowledged::Received,
                    _ => Acknowledged::Complete,
                };
                let code = rest.first().copied().unwrap_or(0);
                Ok(Some(Event::Acknowledged { step, id: u16::from_be_bytes([*high, *low]), code }))
            }
            (14, body) => {
                Ok(Some(Event::Disconnected { code: body.first().copied().unwrap_or(0) }))
            }
            (9, [_, _, codes @ ..]) => Ok(Some(Event::Subscribed { codes: codes.to_vec() })),
            (13, []) => Ok(Some(Event::Alive)),
            _ => Err(MqttError::Protocol(format!("an unexpected packet {first:#x}"))),
        }
    }

    fn message(&mut self, first: u8, head: usize, rest: usize) -> Result<Option<Event>, MqttError> {
        let broken = || MqttError::Protocol("a message that is shorter than its topic".to_owned());
        let quality = (first >> 1) & 3;
        if quality > 1 {
            return Err(MqttError::Protocol(format!("a message of quality of service {quality}")));
        }
        let Some(length) = self.buffer.get(head..head + 2) else {
            return if rest < 2 { Err(broken()) } else { Ok(None) };
        };
        let topic_end = head + 2 + usize::from(u16::from_be_bytes([length[0], length[1]]));
        let payload_at = topic_end + if quality == 1 { 2 } else { 0 };
        let size = (head + rest).checked_sub(payload_at).ok_or_else(broken)?;
        if self.buffer.len() < payload_at {
            return Ok(None);
        }
        let is_large = size > self.max_payload;
        if !is_large && self.buffer.len() < head + rest {
            return Ok(None);
        }
        let topic = std::str::from_utf8(&self.buffer[head + 2..topic_end])
            .map_err(|_| MqttError::Protocol("a topic that is no UTF-8".to_owned()))?
            .to_owned();
        let id = (quality == 1)
            .then(|| u16::from_be_bytes([self.buffer[topic_end], self.buffer[topic_end + 1]]));
        self.buffer.advance(payload_at);
        if is_large {
            self.passing = Some(Passing { topic, size, id, left: size });
            return Ok(self.pass_over());
        }
        let payload = Ok(self.buffer.split_to(size).to_vec());
        Ok(Some(Event::Message(Message { topic, payload, id })))
    }

    /// Drops bytes of a message that is too large, and tells of it at its end.
    fn pass_over(&mut self) -> Option<Event> {
        let passing = self.passing.as_mut()?;
        let step = passing.left.min(self.buffer.len());
        self.buffer.advance(step);
        passing.left -= step;
        if passing.left > 0 {
            return None;
        }
        let Passing { topic, size, id, .. } = self.passing.take()?;
        Some(Event::Message(Message { topic, payload: Err(size as u64), id }))
    }
}

/// The fixed header (2.2), once it is there whole.
fn fixed_header(bytes: &[u8]) -> Result<Option<Fixed>, MqttError> {
    let Some((first, lengths)) = bytes.split_first() else { return Ok(None) };
    let mut rest = 0_usize;
    for (place, byte) in lengths.iter().take(4).enumerate() {
        rest |= usize::from(byte & 0x7F) << (7 * place);
        if byte & 0x80 == 0 {
            return Ok(Some((*first, place + 2, rest)));
        }
    }
    if lengths.len() >= 4 {
        return Err(MqttError::Protocol("a length of more than four bytes".to_owned()));
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(topic: &str, payload: &[u8], quality: u8) -> Vec<u8> {
        let mut rest = u16::try_from(topic.len()).unwrap().to_be_bytes().to_vec();
        rest.extend_from_slice(topic.as_bytes());
        if quality > 0 {
            rest.extend_from_slice(&[0, 9]);
        }
        rest.extend_from_slice(payload);
        assert!(rest.len() < 16_384);
        let (low, high) = (rest.len() % 128, rest.len() / 128);
        let mut out = vec![0x30 | quality << 1];
        out.push(u8::try_from(low).unwrap() | if high > 0 { 0x80 } else { 0 });
        if high > 0 {
            out.push(u8::try_from(high).unwrap());
        }
        out.extend(rest);
        out
    }

    #[test]
    fn packets_are_found_however_the_bytes_arrive() {
        let mut stream = vec![0x20, 2, 1, 0, 0x90, 3, 0, 1, 1, 0xD0, 0];
        stream.extend(message("a/b", b"{}", 1));
        stream.extend(message("large", &[b'x'; 300], 1));
        stream.extend(message("c", b"1", 0));
        for step in [1, 2, 3, 7, 1_000] {
            let mut decoder = Decoder::new(100);
            let mut events = Vec::new();
            for piece in stream.chunks(step) {
                decoder.buffer.extend_from_slice(piece);
                while let Some(event) = decoder.next().unwrap() {
                    events.push(event);
                }
            }
            let of = |topic: &str, payload, id| {
                Event::Message(Message { topic: topic.to_owned(), payload, id })
            };
            let expected = [
                Event::Connected(connack(&[1, 0]).unwrap()),
                Event::Subscribed { codes: vec![1] },
                Event::Alive,
                of("a/b", Ok(b"{}".to_vec()), Some(9)),
                of("large", Err(300), Some(9)),
                of("c", Ok(b"1".to_vec()), None),
            ];
            assert_eq!(events, expected, "in steps of {step}");
        }
    }

    #[test]
    fn what_is_no_mqtt_is_an_error_and_not_a_wait() {
        for bytes in [
            &b"HTTP/1.1 400 Bad Request\r\n"[..],
            &[0x30, 0xFF, 0xFF, 0xFF, 0xFF],
            &[0x30, 1, 0],
            &[0x30, 3, 0, 9, b'a'],
            &[0x34, 5, 0, 1, b'a', 0, 1],
            &[0x30, 3, 0, 1, 0xFF],
            &[0x90, 0xFF, 0xFF, 0x7F],
        ] {
            let mut decoder = Decoder::new(100);
            decoder.buffer.extend_from_slice(bytes);
            assert!(decoder.next().is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn no_bytes_make_it_panic_or_hold_more_than_it_may() {
        let mut random = fastrand::Rng::with_seed(5);
        for _ in 0..5_000 {
            let mut stream = message("a/b", &vec![b'x'; random.usize(..300)], random.u8(..2));
            for _ in 0..random.usize(..4) {
                let at = random.usize(..stream.len());
                stream[at] = random.u8(..);
            }
            let mut decoder = Decoder::new(100);
            for piece in stream.chunks(random.usize(1..50)) {
                decoder.buffer.extend_from_slice(piece);
                while let Ok(Some(_)) = decoder.next() {}
                assert!(decoder.buffer.len() <= stream.len());
            }
        }
    }
}

use std::net::Ipv6Addr;

/// The longest name of a host (RFC 1035, section 2.3.4), with a port.
const MAX_LENGTH: usize = 255 + 6;

/// Whether a text is a host with an optional port, and nothing that could be more in a link.
pub(crate) fn is_valid(text: &str) -> bool {
    if text.is_empty() || text.len() > MAX_LENGTH {
        return false;
    }
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let Some((address, port)) = rest.split_once(']') else { return false };
            if address.parse::<Ipv6Addr>().is_err() {
                return false;
            }
            return port.is_empty() || port.strip_prefix(':').is_some_and(is_port);
        }
        None => text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
    };
    let is_of_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    !host.is_empty() && host.bytes().all(is_of_name) && port.is_none_or(is_port)
}

fn is_port(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok()
}

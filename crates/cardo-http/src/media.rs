/// One range of an `Accept` header, such as `application/*;q=0.5`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MediaRange<'a> {
    main: &'a str,
    sub: &'a str,
    quality: f32,
}

impl<'a> MediaRange<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.split(';');
        let (main, sub) = parts.next()?.trim().split_once('/')?;
        let quality = parts
            .filter_map(|parameter| parameter.trim().split_once('='))
            .find(|(name, _)| name.trim().eq_ignore_ascii_case("q"))
            .map_or(Some(1.0), |(_, value)| value.trim().parse().ok())?;
        Some(Self { main: main.trim(), sub: sub.trim(), quality })
    }

    /// How exactly the range names a media type; `None` where it does not.
    fn precision(&self, media_type: &str) -> Option<u8> {
        let (main, sub) = media_type.split_once('/')?;
        if self.main == "*" && self.sub == "*" {
            return Some(0);
        }
        if !self.main.eq_ignore_ascii_case(main) {
            return None;
        }
        match self.sub {
            "*" => Some(1),
            own if own.eq_ignore_ascii_case(sub) => Some(2),
            _ => None,
        }
    }
}

/// Which of the offered media types an `Accept` header asks for (RFC 9110, section 12.5.1); the
/// earlier of two that are equally welcome. Without a header the first is taken.
pub fn best_media_type(accept: Option<&str>, offered: &[&str]) -> Option<usize> {
    let Some(accept) = accept else { return Some(0) };
    // What nearly every client sends.
    if accept == "*/*" {
        return Some(0);
    }
    if let Some(exact) = offered.iter().position(|media_type| *media_type == accept) {
        return Some(exact);
    }
    let mut best: Option<(usize, f32)> = None;
    for (place, media_type) in offered.iter().enumerate() {
        let ranges = accept.split(',').filter_map(MediaRange::parse);
        let chosen = ranges
            .filter_map(|range| Some((range.precision(media_type)?, range.quality)))
            .fold(None, |best: Option<(u8, f32)>, next| match best {
                Some(best) if best.0 >= next.0 => Some(best),
                _ => Some(next),
            });
        let Some((_, quality)) = chosen.filter(|(_, quality)| *quality > 0.0) else { continue };
        if best.is_none_or(|(_, highest)| quality > highest) {
            best = Some((place, quality));
        }
    }
    best.map(|(place, _)| place)
}

/// The media type in a `Content-Type` header, without its parameters.
pub fn media_type_of(content_type: &str) -> &str {
    content_type.split(';').next().unwrap_or("").trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFFERED: [&str; 3] = ["application/json", "application/ld+json", "application/geo+json"];

    #[test]
    fn the_most_welcome_type_is_taken_and_the_first_of_equals() {
        let best = |accept| best_media_type(Some(accept), &OFFERED);
        assert_eq!(best_media_type(None, &OFFERED), Some(0));
        assert_eq!(best("*/*"), Some(0));
        assert_eq!(best("application/ld+json"), Some(1));
        assert_eq!(best("Application/LD+JSON; charset=utf-8"), Some(1));
        assert_eq!(
            best("text/html, application/geo+json;q=0.5, application/ld+json;q=0.8"),
            Some(1)
        );
        assert_eq!(best("application/*"), Some(0));
        assert_eq!(best("application/json;q=0, */*"), Some(1));
        assert_eq!(best("application/*;q=0.2, application/geo+json"), Some(2));
        assert_eq!(best("text/html"), None);
        assert_eq!(best("nonsense"), None);
    }

    #[test]
    fn parameters_of_a_content_type_do_not_count() {
        assert_eq!(media_type_of("application/json; charset=utf-8"), "application/json");
        assert_eq!(media_type_of(""), "");
    }
}

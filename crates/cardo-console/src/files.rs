//! The files that Vite made, by name.

/// A file of the page.
#[derive(Debug)]
pub(crate) struct File {
    pub(crate) name: &'static str,
    /// The start of its SHA-256.
    pub(crate) tag: &'static str,
    pub(crate) plain: &'static [u8],
    pub(crate) br: Option<&'static [u8]>,
    pub(crate) gz: Option<&'static [u8]>,
}

include!(concat!(env!("OUT_DIR"), "/files.rs"));

pub(crate) fn find(name: &str) -> Option<&'static File> {
    FILES.iter().find(|file| file.name == name)
}

impl File {
    /// What browsers are told that it is.
    pub(crate) fn media_type(&self) -> &'static str {
        let extension = self.name.rsplit('.').next().unwrap_or_default();
        match extension {
            "html" => "text/html; charset=utf-8",
            "js" | "mjs" => "text/javascript; charset=utf-8",
            "css" => "text/css; charset=utf-8",
            "json" | "map" => "application/json",
            "svg" => "image/svg+xml",
            "png" => "image/png",
            "woff2" => "font/woff2",
            "txt" => "text/plain; charset=utf-8",
            _ => "application/octet-stream",
        }
    }
}

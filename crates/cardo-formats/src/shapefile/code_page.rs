//! The encodings of texts in the tables of shapefiles.

use std::borrow::Cow;

use encoding_rs::Encoding;

/// How bytes become text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum CodePage {
    /// One of the Encoding Standard.
    Standard(&'static Encoding),
    /// One of DOS: what stands for the bytes from 128.
    Dos(&'static str),
    /// Nobody says it: UTF-8 where it is valid, else Windows-1252.
    Unknown,
}

impl CodePage {
    /// By what a `.cpg` file says, such as `UTF-8`, `ISO-8859-1`, `1252` or `ANSI 1252`.
    pub(super) fn of_name(name: &str) -> Option<Self> {
        let name = name.trim().trim_matches('\0').to_ascii_lowercase();
        if let Some(encoding) = Encoding::for_label(name.as_bytes()) {
            return Some(Self::Standard(encoding));
        }
        let digits: String = name.chars().filter(char::is_ascii_digit).collect();
        if let Some(part) = digits.strip_prefix("8859").filter(|_| !name.contains("windows")) {
            let label = format!("iso-8859-{part}");
            return Encoding::for_label(label.as_bytes()).map(Self::Standard);
        }
        if name.replace(['-', '_'], "").contains("utf8") {
            return Some(Self::Standard(encoding_rs::UTF_8));
        }
        Self::of_number(digits.parse().ok()?)
    }

    /// By the driver id in the header of the table.
    pub(super) fn of_driver(id: u8) -> Option<Self> {
        Self::of_number(match id {
            0x01 | 0x09 | 0x0B | 0x0D | 0x0F | 0x11 | 0x15 | 0x18 | 0x19 | 0x1B => 437,
            0x02 | 0x0A | 0x0E | 0x10 | 0x12 | 0x14 | 0x16 | 0x1A | 0x1D | 0x25 | 0x37 => 850,
            0x03 | 0x57..=0x59 => 1252,
            0x04 => 10_000,
            0x08 | 0x17 | 0x66 => 865,
            0x13 | 0x7B => 932,
            0x1F | 0x22..=0x23 | 0x40 | 0x64 | 0x87 => 852,
            0x26 | 0x65 => 866,
            0x4D | 0x7A => 936,
            0x4E | 0x79 => 949,
            0x4F | 0x78 => 950,
            0x50 | 0x7C => 874,
            0x7D => 1255,
            0x7E => 1256,
            0xC8 => 1250,
            0xC9 => 1251,
            0xCA => 1254,
            0xCB => 1253,
            0xCC => 1257,
            _ => return None,
        })
    }

    fn of_number(number: u32) -> Option<Self> {
        let label = match number {
            437 => return Some(Self::Dos(CP437)),
            850 => return Some(Self::Dos(CP850)),
            852 => return Some(Self::Dos(CP852)),
            865 => return Some(Self::Dos(CP865)),
            866 => "ibm866".to_owned(),
            874 => "windows-874".to_owned(),
            932 => "shift_jis".to_owned(),
            936 => "gbk".to_owned(),
            949 => "euc-kr".to_owned(),
            950 => "big5".to_owned(),
            1250..=1258 => format!("windows-{number}"),
            10_000 => "macintosh".to_owned(),
            65_001 => "utf-8".to_owned(),
            28_591..=28_606 => format!("iso-8859-{}", number - 28_590),
            _ => return None,
        };
        Encoding::for_label(label.as_bytes()).map(Self::Standard)
    }

    /// The text of some bytes; none where they are none of this encoding.
    pub(super) fn decode(self, bytes: &[u8]) -> Option<Cow<'_, str>> {
        match self {
            Self::Standard(encoding) if encoding == encoding_rs::UTF_8 => {
                let (text, is_whole) = utf8(bytes);
                is_whole.then_some(Cow::Borrowed(text))
            }
            Self::Standard(encoding) => {
                encoding.decode_without_bom_handling_and_without_replacement(bytes)
            }
            Self::Dos(upper) => {
                let of = |byte: &u8| match byte.checked_sub(128) {
                    None => Some(char::from(*byte)),
                    Some(index) => upper.chars().nth(usize::from(index)),
                };
                bytes.iter().map(of).collect::<Option<String>>().map(Cow::Owned)
            }
            Self::Unknown => match utf8(bytes) {
                (text, true) => Some(Cow::Borrowed(text)),
                (_, false) => Some(encoding_rs::WINDOWS_1252.decode_without_bom_handling(bytes).0),
            },
        }
    }
}

/// The text without a last character that the width of its column has cut, and whether it is valid.
fn utf8(bytes: &[u8]) -> (&str, bool) {
    match std::str::from_utf8(bytes) {
        Ok(text) => (text, true),
        Err(error) => {
            let text = std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default();
            (text, error.error_len().is_none() && !text.is_empty())
        }
    }
}

const CP437: &str = "\
    ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐\
    └┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";
const CP850: &str = "\
    ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø×ƒáíóúñÑªº¿®¬½¼¡«»░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐\
    └┴┬├─┼ãÃ╚╔╩╦╠═╬¤ðÐÊËÈıÍÎÏ┘┌█▄¦Ì▀ÓßÔÒõÕµþÞÚÛÙýÝ¯´\u{ad}±‗¾¶§÷¸°¨·¹³²■\u{a0}";
const CP852: &str = "\
    ÇüéâäůćçłëŐőîŹÄĆÉĹĺôöĽľŚśÖÜŤťŁ×čáíóúĄąŽžĘę¬źČş«»░▒▓│┤ÁÂĚŞ╣║╗╝Żż┐\
    └┴┬├─┼Ăă╚╔╩╦╠═╬¤đĐĎËďŇÍÎě┘┌█▄ŢŮ▀ÓßÔŃńňŠšŔÚŕŰýÝţ´\u{ad}˝˛ˇ˘§÷¸°¨˙űŘř■\u{a0}";
const CP865: &str = "\
    ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø₧ƒáíóúñÑªº¿⌐¬½¼¡«¤░▒▓│┤╡╢╖╕╣║╗╝╜╛┐\
    └┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";

#[cfg(test)]
mod tests {
    use super::*;

    fn text(page: Option<CodePage>, bytes: &[u8]) -> Option<String> {
        page?.decode(bytes).map(Cow::into_owned)
    }

    #[test]
    fn a_code_page_is_known_by_many_names() {
        for (name, bytes) in [
            ("UTF-8", "Töölö".as_bytes()),
            ("utf8\r\n", "Töölö".as_bytes()),
            ("65001", "Töölö".as_bytes()),
            ("ISO-8859-1", b"T\xf6\xf6l\xf6"),
            ("88591", b"T\xf6\xf6l\xf6"),
            ("8859_15", b"T\xf6\xf6l\xf6"),
            ("ANSI 1252", b"T\xf6\xf6l\xf6"),
            ("1252", b"T\xf6\xf6l\xf6"),
            ("OEM 850", b"T\x94\x94l\x94"),
            ("437", b"T\x94\x94l\x94"),
            ("CP852", b"T\x94\x94l\x94"),
            ("865", b"T\x94\x94l\x94"),
        ] {
            assert_eq!(text(CodePage::of_name(name), bytes).as_deref(), Some("Töölö"), "{name}");
        }
        assert_eq!(CodePage::of_name("klingon"), None);
        assert_eq!(text(CodePage::of_driver(0x57), b"\xe5").as_deref(), Some("å"));
        assert_eq!(text(CodePage::of_driver(0x02), b"\x86").as_deref(), Some("å"));
        assert_eq!(text(CodePage::of_driver(0xC9), b"\xdf").as_deref(), Some("Я"));
        assert_eq!(CodePage::of_driver(0), None);
    }

    #[test]
    fn tables_of_dos_have_a_sign_for_each_byte() {
        for table in [CP437, CP850, CP852, CP865] {
            assert_eq!(table.chars().count(), 128);
        }
    }

    #[test]
    fn a_character_cut_by_the_width_of_a_column_is_left_out() {
        let page = CodePage::Standard(encoding_rs::UTF_8);
        assert_eq!(text(Some(page), b"T\xc3").as_deref(), Some("T"));
        assert_eq!(text(Some(page), b"T\xf6l"), None);
        assert_eq!(text(Some(CodePage::Unknown), b"T\xf6l").as_deref(), Some("Töl"));
    }
}

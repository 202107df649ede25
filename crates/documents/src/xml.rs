//! XML, written element by element: every text is plain and escaped, and no element is empty.
//!
//! Peppol refuses empty elements (`PEPPOL-EN16931-R008`), so an element whose text is blank and a group without content are left out.

use crate::plain_text::{plain, plain_lines};
use std::fmt::Write as _;

/// An XML document in the making, without indentation, so that no white space is content.
#[derive(Debug)]
pub struct Xml {
    text: String,
}

impl Xml {
    /// A document in UTF-8.
    #[must_use]
    pub fn new() -> Self {
        Self { text: "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned() }
    }

    /// The bytes of the document.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.text.into_bytes()
    }

    /// An element with a text on one line; nothing where the text is blank.
    pub fn leaf(&mut self, name: &str, text: &str) {
        self.leaf_with(name, &[], text);
    }

    /// An element with a text, if there is one.
    pub fn optional(&mut self, name: &str, text: Option<&str>) {
        self.leaf(name, text.unwrap_or_default());
    }

    /// An element with attributes and a text; attributes whose value is empty are left out.
    pub fn leaf_with(&mut self, name: &str, attributes: &[(&str, &str)], text: &str) {
        let text = plain(text);
        if !text.trim().is_empty() {
            self.open(name, attributes);
            self.escaped(text.trim());
            self.close(name);
        }
    }

    /// An element with a text whose line breaks stay.
    pub fn lines(&mut self, name: &str, text: &str) {
        let lines = plain_lines(text).join("\n");
        if !lines.trim().is_empty() {
            self.open(name, &[]);
            self.escaped(lines.trim());
            self.close(name);
        }
    }

    /// An element around what `content` writes; nothing where it writes nothing.
    pub fn group(&mut self, name: &str, content: impl FnOnce(&mut Self)) {
        self.group_with(name, &[], content);
    }

    /// An element with attributes around what `content` writes.
    pub fn group_with(&mut self, name: &str, attributes: &[(&str, &str)], content: impl FnOnce(&mut Self)) {
        let before = self.text.len();
        self.open(name, attributes);
        let inside = self.text.len();
        content(self);
        if self.text.len() == inside {
            self.text.truncate(before);
        } else {
            self.close(name);
        }
    }

    /// An element without content.
    pub fn empty(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.open(name, attributes);
        self.text.truncate(self.text.len() - 1);
        self.text.push_str("/>");
    }

    fn open(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.text.push('<');
        self.text.push_str(name);
        for (name, value) in attributes.iter().filter(|(_, value)| !value.is_empty()) {
            // Writing to a String does not fail.
            let _ = write!(self.text, " {name}=\"");
            self.escaped(&plain(value));
            self.text.push('"');
        }
        self.text.push('>');
    }

    fn close(&mut self, name: &str) {
        let _ = write!(self.text, "</{name}>");
    }

    fn escaped(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '&' => self.text.push_str("&amp;"),
                '<' => self.text.push_str("&lt;"),
                '>' => self.text.push_str("&gt;"),
                '"' => self.text.push_str("&quot;"),
                c => self.text.push(c),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    //! Escapes, and what is left out.

    use super::*;

    fn written(content: impl FnOnce(&mut Xml)) -> String {
        let mut xml = Xml::new();
        content(&mut xml);
        let text = String::from_utf8(xml.into_bytes()).unwrap();
        text.split_once('\n').unwrap().1.to_owned()
    }

    #[test]
    fn markup_is_text_and_nothing_is_empty() {
        let text = written(|xml| {
            xml.group_with("a", &[("id", "\"<&\n"), ("none", "")], |xml| {
                xml.leaf("b", "<script>&\u{1}]]> \u{202e}x");
                xml.leaf("b", " \t");
                xml.optional("b", None);
                xml.group("c", |xml| xml.leaf("d", ""));
                xml.lines("e", "one\r\n two\u{0}\n");
                xml.empty("f", &[("r", "1")]);
            });
        });
        let expected = "<a id=\"&quot;&lt;&amp; \"><b>&lt;script&gt;&amp;\u{fffd}]]&gt; x</b>\
                        <e>one\n two\u{fffd}</e><f r=\"1\"/></a>";
        assert_eq!(text, expected);
    }
}

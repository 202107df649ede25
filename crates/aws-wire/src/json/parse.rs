//! From bytes to a value, under limits.

use super::{Number, Value};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::str::FromStr;
use thiserror::Error;

/// What is read at most.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    pub size_bytes_max: usize,
    /// Lists and objects inside each other.
    pub depth_max: usize,
}

impl Limits {
    /// A size, and a depth of 64: far more than any request of a service has, far less than the stack.
    pub fn of_size(size_bytes_max: usize) -> Self {
        Self { size_bytes_max, depth_max: 64 }
    }
}

/// Where and why the bytes are not what is read here.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}, column {column}: {problem}")]
pub struct JsonError {
    /// From 1.
    pub line: usize,
    /// In bytes, from 1.
    pub column: usize,
    /// In bytes from the start, from 0.
    pub offset: usize,
    pub problem: Problem,
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Problem {
    #[error("the text has {size} bytes, at most {max} are read")]
    TooLarge { size: usize, max: usize },
    #[error("the text begins with a byte order mark; send UTF-8 without one")]
    ByteOrderMark,
    #[error("the text is not UTF-8")]
    NotUtf8,
    #[error("the text ends too early")]
    End,
    #[error("`{0}` is not expected here")]
    Unexpected(char),
    #[error("lists and objects lie more than {0} deep")]
    TooDeep(usize),
    #[error("key `{0}` is given twice in one object")]
    DuplicateKey(String),
    #[error("`{0}` is not a JSON number")]
    Number(String),
    #[error("a control character must be written as an escape")]
    ControlCharacter,
    #[error("`\\{0}` is not an escape")]
    Escape(char),
    #[error("a `\\u` escape needs four hexadecimal digits")]
    UnicodeEscape,
    #[error("`\\u{0:04x}` is half of a surrogate pair")]
    LoneSurrogate(u32),
    #[error("there is more after the value")]
    Trailing,
}

/// Reads one value and nothing after it but white space.
pub fn parse(bytes: &[u8], limits: Limits) -> Result<Value, JsonError> {
    let at = |offset, problem| locate(bytes, offset, problem);
    if bytes.len() > limits.size_bytes_max {
        return Err(at(0, Problem::TooLarge { size: bytes.len(), max: limits.size_bytes_max }));
    }
    let marks: [&[u8]; 3] = [b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"];
    if marks.iter().any(|mark| bytes.starts_with(mark)) {
        return Err(at(0, Problem::ByteOrderMark));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| at(error.valid_up_to(), Problem::NotUtf8))?;
    let mut reader = Reader { text, at: 0, depth: 0, depth_max: limits.depth_max };
    let read = reader.value().and_then(|value| {
        reader.skip_space();
        if reader.at == text.len() { Ok(value) } else { Err((reader.at, Problem::Trailing)) }
    });
    read.map_err(|(offset, problem)| at(offset, problem))
}

fn locate(bytes: &[u8], offset: usize, problem: Problem) -> JsonError {
    let before = &bytes[..offset];
    let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
    let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    JsonError { line, column: offset - start + 1, offset, problem }
}

/// A problem with its offset.
type Fault = (usize, Problem);

struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    depth_max: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// The fault of what stands here.
    fn unexpected(&self) -> Fault {
        let next = self.text.get(self.at..).and_then(|rest| rest.chars().next());
        (self.at, next.map_or(Problem::End, Problem::Unexpected))
    }

    fn expect(&mut self, byte: u8) -> Result<(), Fault> {
        self.skip_space();
        if self.peek() != Some(byte) {
            return Err(self.unexpected());
        }
        self.at += 1;
        Ok(())
    }

    fn value(&mut self) -> Result<Value, Fault> {
        self.skip_space();
        match self.peek() {
            Some(b'{') => self.nested(Self::map),
            Some(b'[') => self.nested(Self::list),
            Some(b'"') => self.string().map(Value::String),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'n') => self.word("null", Value::Null),
            _ => Err(self.unexpected()),
        }
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result<Value, Fault>) -> Result<Value, Fault> {
        if self.depth == self.depth_max {
            return Err((self.at, Problem::TooDeep(self.depth_max)));
        }
        self.depth += 1;
        self.at += 1;
        let value = read(self)?;
        self.depth -= 1;
        Ok(value)
    }

    /// After `[`.
    fn list(&mut self) -> Result<Value, Fault> {
        let mut values = Vec::new();
        self.skip_space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Value::List(values));
        }
        loop {
            values.push(self.value()?);
            if !self.another(b']')? {
                return Ok(Value::List(values));
            }
        }
    }

    /// After `{`.
    fn map(&mut self) -> Result<Value, Fault> {
        let mut members = BTreeMap::new();
        self.skip_space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Value::Map(members));
        }
        loop {
            self.skip_space();
            let start = self.at;
            if self.peek() != Some(b'"') {
                return Err(self.unexpected());
            }
            let name = self.string()?;
            self.expect(b':')?;
            match members.entry(name) {
                Entry::Occupied(entry) => return Err((start, Problem::DuplicateKey(entry.key().clone()))),
                Entry::Vacant(entry) => entry.insert(self.value()?),
            };
            if !self.another(b'}')? {
                return Ok(Value::Map(members));
            }
        }
    }

    /// Whether a comma stands here, and not the end.
    fn another(&mut self, end: u8) -> Result<bool, Fault> {
        self.skip_space();
        let next = self.peek();
        if next != Some(b',') && next != Some(end) {
            return Err(self.unexpected());
        }
        self.at += 1;
        Ok(next == Some(b','))
    }

    fn word(&mut self, word: &str, value: Value) -> Result<Value, Fault> {
        if !self.text[self.at..].starts_with(word) {
            return Err(self.unexpected());
        }
        self.at += word.len();
        Ok(value)
    }

    fn number(&mut self) -> Result<Value, Fault> {
        let rest = &self.text[self.at..];
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '+' | '-' | '.'));
        let text = &rest[..end.unwrap_or(rest.len())];
        let number = Number::from_str(text).map_err(|_| {
            let excerpt: String = text.chars().take(40).collect();
            (self.at, Problem::Number(excerpt))
        })?;
        self.at += text.len();
        Ok(Value::Number(number))
    }

    /// From the quote that opens it.
    fn string(&mut self) -> Result<String, Fault> {
        self.at += 1;
        let mut string = String::new();
        loop {
            let rest = &self.text[self.at..];
            let plain = rest.find(|c: char| c == '"' || c == '\\' || c < ' ').unwrap_or(rest.len());
            string.push_str(&rest[..plain]);
            self.at += plain;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(string);
                }
                Some(b'\\') => string.push(self.escape()?),
                Some(_) => return Err((self.at, Problem::ControlCharacter)),
                None => return Err((self.at, Problem::End)),
            }
        }
    }

    /// From the backslash.
    fn escape(&mut self) -> Result<char, Fault> {
        let start = self.at;
        let letter = self.text[start + 1..].chars().next().ok_or((self.text.len(), Problem::End))?;
        self.at += 1 + letter.len_utf8();
        Ok(match letter {
            '"' | '\\' | '/' => letter,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let first = self.four_digits(start)?;
                let code = match first {
                    0xd800..=0xdbff if self.text[self.at..].starts_with("\\u") => {
                        self.at += 2;
                        let second = self.four_digits(start)?;
                        if !(0xdc00..=0xdfff).contains(&second) {
                            return Err((start, Problem::LoneSurrogate(first)));
                        }
                        0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00)
                    }
                    _ => first,
                };
                char::from_u32(code).ok_or((start, Problem::LoneSurrogate(first)))?
            }
            other => return Err((start, Problem::Escape(other))),
        })
    }

    fn four_digits(&mut self, start: usize) -> Result<u32, Fault> {
        let digits = self.text.get(self.at..self.at + 4);
        let digits = digits.filter(|text| text.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let code = digits.and_then(|text| u32::from_str_radix(text, 16).ok());
        self.at += 4;
        code.ok_or((start, Problem::UnicodeEscape))
    }
}

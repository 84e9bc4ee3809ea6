//! JSON text to and from a small tree: specs and frozen states cross the door as text.

use std::fmt::Write;

use x_simd::{Error, Result};

#[derive(Debug, Clone, PartialEq)]
pub enum Json {
    Null,
    Bool(bool),
    Num(f64),
    Str(String),
    Arr(Vec<Json>),
    Obj(Vec<(String, Json)>),
}

impl From<f64> for Json {
    fn from(x: f64) -> Self {
        if x.is_finite() { Json::Num(x) } else { Json::Null }
    }
}
impl From<usize> for Json {
    fn from(x: usize) -> Self {
        Json::Num(x as f64)
    }
}
impl From<bool> for Json {
    fn from(x: bool) -> Self {
        Json::Bool(x)
    }
}
impl From<&str> for Json {
    fn from(x: &str) -> Self {
        Json::Str(x.to_owned())
    }
}
impl<T: Into<Json> + Clone> From<&[T]> for Json {
    fn from(x: &[T]) -> Self {
        Json::Arr(x.iter().cloned().map(Into::into).collect())
    }
}
impl<T: Into<Json>> From<Vec<T>> for Json {
    fn from(x: Vec<T>) -> Self {
        Json::Arr(x.into_iter().map(Into::into).collect())
    }
}
impl<T: Into<Json>> From<Option<T>> for Json {
    fn from(x: Option<T>) -> Self {
        x.map_or(Json::Null, Into::into)
    }
}

/// An object from its pairs.
pub fn object<const N: usize>(pairs: [(&str, Json); N]) -> Json {
    Json::Obj(pairs.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())
}

/// A malformed spec, state or options text.
pub fn malformed(what: impl Into<String>) -> Error {
    Error::new("GAM_SPEC", what)
}

impl Json {
    pub fn parse(text: &str) -> Result<Json> {
        let mut p = Parser { bytes: text.as_bytes(), at: 0 };
        let value = p.value(0)?;
        p.space();
        if p.at < p.bytes.len() { Err(p.error("text after the end")) } else { Ok(value) }
    }

    /// The member `key`; null when it is absent.
    pub fn get(&self, key: &str) -> &Json {
        const NULL: Json = Json::Null;
        match self {
            Json::Obj(pairs) => pairs.iter().find(|(k, _)| k == key).map_or(&NULL, |(_, v)| v),
            _ => &NULL,
        }
    }

    pub fn is_null(&self) -> bool {
        *self == Json::Null
    }

    pub fn num(&self, what: &str) -> Result<f64> {
        if let Json::Num(x) = self { Ok(*x) } else { Err(malformed(format!("{what} must be a number"))) }
    }

    pub fn index(&self, what: &str) -> Result<usize> {
        let x = self.num(what)?;
        if x >= 0.0 && x.fract() == 0.0 && x < 1e9 {
            Ok(x as usize)
        } else {
            Err(malformed(format!("{what} must be a whole number, not {x}")))
        }
    }

    pub fn text(&self, what: &str) -> Result<&str> {
        if let Json::Str(x) = self { Ok(x) } else { Err(malformed(format!("{what} must be a string"))) }
    }

    pub fn flag(&self) -> bool {
        *self == Json::Bool(true)
    }

    pub fn list(&self, what: &str) -> Result<&[Json]> {
        if let Json::Arr(x) = self { Ok(x) } else { Err(malformed(format!("{what} must be a list"))) }
    }

    pub fn nums(&self, what: &str) -> Result<Vec<f64>> {
        self.list(what)?.iter().map(|x| x.num(what)).collect()
    }

    /// `None` for null.
    pub fn optional<T>(&self, read: impl FnOnce(&Json) -> Result<T>) -> Result<Option<T>> {
        if self.is_null() { Ok(None) } else { read(self).map(Some) }
    }

    pub fn print(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) {
        match self {
            Json::Null => out.push_str("null"),
            Json::Bool(x) => out.push_str(if *x { "true" } else { "false" }),
            Json::Num(x) => write_number(*x, out),
            Json::Str(x) => write_text(x, out),
            Json::Arr(x) => {
                out.push('[');
                for (i, v) in x.iter().enumerate() {
                    if i > 0 {
                        out.push(',');
                    }
                    v.write(out);
                }
                out.push(']');
            }
            Json::Obj(x) => {
                out.push('{');
                for (i, (k, v)) in x.iter().enumerate() {
                    if i > 0 {
                        out.push(',');
                    }
                    write_text(k, out);
                    out.push(':');
                    v.write(out);
                }
                out.push('}');
            }
        }
    }
}

/// The shortest text that reads back as the same number.
fn write_number(x: f64, out: &mut String) {
    let plain = x == 0.0 || (1e-5..1e15).contains(&x.abs());
    let _ = if !x.is_finite() {
        write!(out, "null")
    } else if plain {
        write!(out, "{x}")
    } else {
        write!(out, "{x:e}")
    };
}

fn write_text(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if (c as u32) < 32 => {
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// Deeper than any spec: a bound so that hostile text cannot exhaust the stack.
const DEPTH: usize = 64;

struct Parser<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Parser<'_> {
    fn error(&self, what: &str) -> Error {
        malformed(format!("{what} at byte {}", self.at)).with("byte", self.at as f64)
    }

    fn space(&mut self) {
        while self.bytes.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
    }

    fn eat(&mut self, c: u8) -> bool {
        self.space();
        let found = self.bytes.get(self.at) == Some(&c);
        self.at += usize::from(found);
        found
    }

    fn word(&mut self, word: &str, value: Json) -> Result<Json> {
        if self.bytes[self.at..].starts_with(word.as_bytes()) {
            self.at += word.len();
            Ok(value)
        } else {
            Err(self.error("unknown word"))
        }
    }

    fn value(&mut self, depth: usize) -> Result<Json> {
        if depth > DEPTH {
            return Err(self.error("nested too deeply"));
        }
        self.space();
        match self.bytes.get(self.at) {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => Ok(Json::Str(self.string()?)),
            Some(b't') => self.word("true", Json::Bool(true)),
            Some(b'f') => self.word("false", Json::Bool(false)),
            Some(b'n') => self.word("null", Json::Null),
            Some(_) => self.number(),
            None => Err(self.error("the text ends too early")),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Json> {
        self.at += 1;
        let mut pairs = Vec::new();
        if self.eat(b'}') {
            return Ok(Json::Obj(pairs));
        }
        loop {
            self.space();
            let key = self.string()?;
            if !self.eat(b':') {
                return Err(self.error("expected ':'"));
            }
            pairs.push((key, self.value(depth + 1)?));
            if self.eat(b'}') {
                return Ok(Json::Obj(pairs));
            }
            if !self.eat(b',') {
                return Err(self.error("expected ',' or '}'"));
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<Json> {
        self.at += 1;
        let mut items = Vec::new();
        if self.eat(b']') {
            return Ok(Json::Arr(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            if self.eat(b']') {
                return Ok(Json::Arr(items));
            }
            if !self.eat(b',') {
                return Err(self.error("expected ',' or ']'"));
            }
        }
    }

    fn number(&mut self) -> Result<Json> {
        let start = self.at;
        while self.bytes.get(self.at).is_some_and(|c| matches!(c, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E')) {
            self.at += 1;
        }
        let text = std::str::from_utf8(&self.bytes[start..self.at]).unwrap_or("");
        text.parse().map(Json::Num).map_err(|_| self.error("not a number"))
    }

    fn string(&mut self) -> Result<String> {
        if !self.eat(b'"') {
            return Err(self.error("expected '\"'"));
        }
        let mut out = Vec::new();
        loop {
            let c = *self.bytes.get(self.at).ok_or_else(|| self.error("the string does not end"))?;
            self.at += 1;
            match c {
                b'"' => return String::from_utf8(out).map_err(|_| self.error("not UTF-8")),
                b'\\' => {
                    let c = self.escaped()?;
                    out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                }
                c => out.push(c),
            }
        }
    }

    fn escaped(&mut self) -> Result<char> {
        let c = *self.bytes.get(self.at).ok_or_else(|| self.error("the string does not end"))?;
        self.at += 1;
        Ok(match c {
            b'n' => '\n',
            b't' => '\t',
            b'r' => '\r',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'u' => {
                let high = self.hex()?;
                if (0xd800..0xdc00).contains(&high) && self.bytes[self.at..].starts_with(b"\\u") {
                    self.at += 2;
                    let low = self.hex()?;
                    let code = 0x1_0000 + ((high - 0xd800) << 10) + low.wrapping_sub(0xdc00);
                    char::from_u32(code).unwrap_or('\u{fffd}')
                } else {
                    char::from_u32(high).unwrap_or('\u{fffd}')
                }
            }
            c => c as char,
        })
    }

    fn hex(&mut self) -> Result<u32> {
        let digits = self.bytes.get(self.at..self.at + 4).and_then(|b| std::str::from_utf8(b).ok());
        let value = digits.and_then(|d| u32::from_str_radix(d, 16).ok()).ok_or_else(|| self.error("bad \\u escape"))?;
        self.at += 4;
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_texts_come_back() {
        let text = r#"{"a":[1,-2.5e-300,1e22,0.1],"b":null,"c":"x\"\\é\u0001","d":true}"#;
        let value = Json::parse(text).unwrap();
        assert_eq!(Json::parse(&value.print()).unwrap(), value);
        assert_eq!(value.get("a").nums("a").unwrap()[1], -2.5e-300);
    }

    #[test]
    fn bad_texts_are_refused() {
        for bad in ["", "{", "[1,]", "{\"a\"}", "1 2", "\"a", "tru", "[--1]", &"[".repeat(100)] {
            assert_eq!(Json::parse(bad).unwrap_err().code, "GAM_SPEC", "{bad}");
        }
    }
}

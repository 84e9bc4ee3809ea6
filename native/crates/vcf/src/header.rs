//! The header of a VCF or BCF: its lines as they are, and the dictionaries BCF numbers things by.

use std::collections::HashMap;

use x_simd::{Error, Result};

/// How INFO and FORMAT values are stored in BCF.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ValueType {
    Integer,
    Float,
    Flag,
    Text,
}

#[derive(Clone, Default, Debug)]
pub struct Header {
    /// `##` lines in their order, without line ends and without BCF's IDX.
    pub lines: Vec<String>,
    pub samples: Vec<String>,
    /// Name and length of each contig, by its BCF number.
    pub contigs: Vec<Option<(String, Option<u64>)>>,
    /// FILTER, INFO and FORMAT names by their BCF number.
    pub strings: Vec<Option<String>>,
    pub info: HashMap<String, ValueType>,
    pub format: HashMap<String, ValueType>,
    pub filters: Vec<String>,
}

/// More than this in a numbering is a damaged IDX, not a header.
const MAX_IDX: usize = 1 << 20;

impl Header {
    /// From the text up to and with the `#CHROM` line.
    pub fn parse<'a>(lines: impl Iterator<Item = &'a [u8]>) -> Result<Self> {
        let mut header = Self::default();
        header.number(None, "PASS")?;
        let mut columns = None;
        for (i, raw) in lines.enumerate() {
            let line = std::str::from_utf8(raw)
                .map_err(|_| Error::new("VCF_HEADER", format!("header line {} is not UTF-8 text", i + 1)))?;
            if columns.is_some() {
                break;
            }
            if line.starts_with("##") {
                header.meta(line)?;
            } else if let Some(rest) = line.strip_prefix("#CHROM") {
                columns = Some(rest.to_owned());
            } else {
                return Err(no_header(i + 1));
            }
        }
        let columns = columns.ok_or_else(|| no_header(header.lines.len() + 1))?;
        header.samples = samples(&columns)?;
        Ok(header)
    }

    fn meta(&mut self, line: &str) -> Result<()> {
        let (kind, body) = line[2..].split_once('=').unwrap_or((&line[2..], ""));
        let fields = structured(body);
        let get = |key: &str| fields.iter().find(|(k, _)| *k == key).map(|(_, v)| *v);
        if let ("FILTER" | "INFO" | "FORMAT" | "contig", Some(id)) = (kind, get("ID")) {
            let index = match get("IDX") {
                None => None,
                Some(text) => {
                    let n = text.parse().ok().filter(|&n| n < MAX_IDX);
                    Some(n.ok_or_else(|| Error::new("BCF_DICT", format!("IDX={text} of {id} is no usable number")))?)
                }
            };
            match kind {
                "contig" => {
                    let length = get("length").and_then(|t| t.parse().ok());
                    place(&mut self.contigs, index, |e| e.0 == id, (id.to_owned(), length))?;
                }
                _ => {
                    self.number(index, id)?;
                    let value = match get("Type") {
                        Some("Integer") => ValueType::Integer,
                        Some("Float") => ValueType::Float,
                        Some("Flag") => ValueType::Flag,
                        _ => ValueType::Text,
                    };
                    match kind {
                        "INFO" => drop(self.info.insert(id.to_owned(), value)),
                        "FORMAT" => drop(self.format.insert(id.to_owned(), value)),
                        _ => self.filters.push(id.to_owned()),
                    }
                }
            }
        }
        self.lines.push(without_idx(line));
        Ok(())
    }

    fn number(&mut self, index: Option<usize>, id: &str) -> Result<()> {
        place(&mut self.strings, index, |e| e == id, id.to_owned())
    }

    pub fn contig_index(&self, name: &str) -> Option<usize> {
        self.contigs.iter().position(|c| c.as_ref().is_some_and(|c| c.0 == name))
    }

    pub fn contig_names(&self) -> impl Iterator<Item = &str> {
        self.contigs.iter().flatten().map(|c| c.0.as_str())
    }

    /// Number of a FILTER, INFO or FORMAT name.
    pub fn string_index(&self, name: &str) -> Option<usize> {
        self.strings.iter().position(|s| s.as_deref() == Some(name))
    }
}

fn no_header(line: usize) -> Error {
    Error::new(
        "VCF_HEADER",
        format!("line {line} is neither a ## line nor the #CHROM line: this file has no VCF header"),
    )
    .with("line", line as f64)
}

/// Puts an entry at its number; the first free one by default. A name already there keeps its place.
fn place<T>(list: &mut Vec<Option<T>>, index: Option<usize>, same: impl Fn(&T) -> bool, entry: T) -> Result<()> {
    if let Some(old) = list.iter().position(|e| e.as_ref().is_some_and(&same)) {
        if index.is_none_or(|i| i == old) {
            return Ok(());
        }
        list[old] = None;
    }
    let at = index.unwrap_or(list.len());
    if at >= list.len() {
        list.resize_with(at + 1, || None);
    }
    if list[at].is_some() {
        return Err(Error::new("BCF_DICT", format!("two header entries have the number IDX={at}")));
    }
    list[at] = Some(entry);
    Ok(())
}

fn samples(columns: &str) -> Result<Vec<String>> {
    let fields: Vec<&str> = columns.trim_end_matches('\t').split('\t').skip(1).collect();
    let wanted = ["POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO"];
    if fields.len() < 7 || fields[..7] != wanted {
        return Err(Error::new("VCF_HEADER", "the #CHROM line does not name the eight fixed columns (tab separated)"));
    }
    let names: Vec<String> = fields.iter().skip(8).map(|s| (*s).to_owned()).collect();
    let mut seen = HashMap::with_capacity(names.len());
    for (i, name) in names.iter().enumerate() {
        if let Some(first) = seen.insert(name.as_str(), i) {
            let message =
                format!("sample {name} is named twice in the #CHROM line (samples {} and {})", first + 1, i + 1);
            return Err(Error::new("DUP_SAMPLE", message).with("sample", (i + 1) as f64));
        }
    }
    Ok(names)
}

/// `<ID=x,Number=1,Description="a, b">` as pairs; quotes are taken off. Empty for lines without `<`.
fn structured(body: &str) -> Vec<(&str, &str)> {
    let Some(mut rest) = body.strip_prefix('<') else { return Vec::new() };
    let mut out = Vec::new();
    while let Some((key, after)) = rest.split_once('=') {
        let (value, next) = match after.strip_prefix('"') {
            Some(quoted) => {
                let end = closing_quote(quoted);
                (&quoted[..end], quoted.get(end + 1..).unwrap_or(""))
            }
            None => {
                let end = after.find([',', '>']).unwrap_or(after.len());
                (&after[..end], &after[end..])
            }
        };
        out.push((key, value));
        match next.strip_prefix(',') {
            Some(more) => rest = more,
            None => break,
        }
    }
    out
}

/// Does a `##` line declare this name?
pub(crate) fn declares(line: &str, kind: &str, id: &str) -> bool {
    attributes(line, kind).iter().any(|&(key, value)| key == "ID" && value == id)
}

/// Number and Type of a line that declares an INFO or FORMAT field.
pub(crate) fn shape<'a>(line: &'a str, kind: &str) -> [Option<&'a str>; 2] {
    let fields = attributes(line, kind);
    ["Number", "Type"].map(|key| fields.iter().find(|f| f.0 == key).map(|f| f.1))
}

fn attributes<'a>(line: &'a str, kind: &str) -> Vec<(&'a str, &'a str)> {
    let body = line.strip_prefix("##").and_then(|l| l.strip_prefix(kind)).and_then(|l| l.strip_prefix('='));
    body.map_or_else(Vec::new, structured)
}

fn closing_quote(text: &str) -> usize {
    let mut escaped = false;
    for (i, b) in text.bytes().enumerate() {
        match b {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return i,
            _ => {}
        }
    }
    text.len()
}

fn without_idx(line: &str) -> String {
    if let Some(start) = line.rfind(",IDX=") {
        let digits = line[start + 5..].bytes().take_while(u8::is_ascii_digit).count();
        if digits > 0 && line[start + 5 + digits..] == *">" {
            return format!("{}>", &line[..start]);
        }
    }
    line.to_owned()
}

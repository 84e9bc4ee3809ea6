//! Overlapping phased files into one: where two meet, each sample's haplotypes of the second are swapped when most of
//! its heterozygous positions in the overlap say so.

mod rows;

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use x_simd::{Error, Job, Result};

use crate::loci::Row;
use crate::loci::align;
use crate::positions::positions_with;
use crate::reader::Reader;
use crate::record::{FILTER, INFO, column};
use crate::record::{HAPLOID, MISSING, PHASED, Record};
use crate::write::Field;
use crate::{Header, Loci, ReadOptions, Role, read_loci};

pub use rows::LigatedRows;

/// Where two files meet.
#[derive(Debug, Clone, PartialEq)]
pub struct Join {
    /// First and last position of the overlap, and the last that is taken from the file before.
    pub from: u32,
    pub to: u32,
    pub switch: u32,
    /// Positions both files have there, and positions of the overlap that only one has.
    pub shared: u32,
    pub only_one: u32,
    /// By sample: positions heterozygous and phased in both that agree, and that do not.
    pub matches: Vec<u32>,
    pub mismatches: Vec<u32>,
    /// By sample: swapped against the file before. A tie, or nothing to compare, swaps nothing.
    pub swapped: Vec<bool>,
}

/// Files in order, ready to be written as one.
pub struct Ligation {
    pub header: Header,
    pub chrom: String,
    pub samples: Vec<String>,
    pub joins: Vec<Join>,
    pub last: u32,
    /// Positions that will be written.
    pub positions: usize,
    /// Of [`KEPT`], those the files have.
    pub fields: Vec<Field>,
    /// Rows that use FILTER or INFO names which their header lacks; the output's header declares them.
    undeclared: Vec<Row>,
    paths: Vec<PathBuf>,
    /// By file and sample: written with its haplotypes swapped.
    swaps: Vec<Vec<bool>>,
}

/// Fields of phasing, kept beside GT; of the second the floats change places with the haplotypes.
const KEPT: [(&str, usize); 2] = [("PP", 1), ("CP", 2)];

struct Part {
    chrom: String,
    positions: Vec<u32>,
    header: Header,
}

/// Reads the positions of all files and the genotypes of the overlaps. NO_FILES, SAMPLES_DIFFER, CHUNK_CHROM,
/// CHUNK_ORDER, CHUNK_OVERLAP; the errors of reading.
pub fn ligate(paths: &[PathBuf], haploid: &HashSet<String>, job: &Job) -> Result<Ligation> {
    let Some(first) = paths.first() else {
        return Err(Error::new("NO_FILES", "no files to ligate"));
    };
    job.start(2 * paths.len() as u64 - 1);
    let mut undeclared = Undeclared::default();
    let mut parts: Vec<Part> = Vec::new();
    for path in paths {
        let (chrom, positions) =
            positions_with(path, None, job, &mut |header, record| undeclared.look(header, record))?;
        let header = Reader::open(path)?.header;
        parts.push(Part { chrom, positions, header });
        job.advance(1);
    }
    let samples = parts[0].header.samples.clone();
    let mut joins: Vec<Join> = Vec::new();
    let mut swaps = vec![vec![false; samples.len()]];
    for (i, pair) in parts.windows(2).enumerate() {
        let (a, b) = (&paths[i], &paths[i + 1]);
        check(first, &samples, b, &pair[1])?;
        let range = overlap((a, &pair[0]), (b, &pair[1]))?;
        let join = join((a, &pair[0]), (b, &pair[1]), &samples, haploid, range, job)?;
        let before = &swaps[i];
        swaps.push(before.iter().zip(&join.swapped).map(|(x, y)| x ^ y).collect());
        joins.push(join);
        job.advance(1);
    }
    for (i, pair) in joins.windows(2).enumerate() {
        if pair[1].switch <= pair[0].switch {
            let message = format!(
                "{} lies within the overlap of its neighbours; leave it out, or cut longer chunks",
                paths[i + 1].display()
            );
            return Err(Error::new("CHUNK_ORDER", message));
        }
    }
    let mut out = Ligation {
        header: merged(&parts)?,
        fields: kept(&parts),
        undeclared: undeclared.rows,
        chrom: parts[0].chrom.clone(),
        samples,
        last: parts.last().and_then(|p| p.positions.last().copied()).unwrap_or(0),
        joins,
        positions: 0,
        paths: paths.to_vec(),
        swaps,
    };
    for (i, part) in parts.iter().enumerate() {
        let (from, to) = out.span(i);
        out.positions += part.positions.iter().filter(|&&p| p > from && p <= to).count();
    }
    Ok(out)
}

/// One row of every FILTER or INFO name that no header declares.
#[derive(Default)]
struct Undeclared {
    names: HashSet<Vec<u8>>,
    rows: Vec<Row>,
}

impl Undeclared {
    fn look(&mut self, header: &Header, record: &Record) {
        let filters = column(&record.site, FILTER).split(|&b| b == b';');
        let infos = column(&record.site, INFO).split(|&b| b == b';');
        let names = infos.map(|e| e.split(|&b| b == b'=').next().unwrap_or(e));
        for name in filters.chain(names) {
            let text = std::str::from_utf8(name).unwrap_or("");
            let known = header.info.contains_key(text) || header.filters.iter().any(|f| f == text);
            if !known && !matches!(text, "" | "." | "PASS") && self.names.insert(name.to_vec()) {
                self.rows.push(Row { site: record.site.clone().into_boxed_slice(), codes: Box::default() });
            }
        }
    }
}

fn check(first: &Path, samples: &[String], path: &Path, part: &Part) -> Result<()> {
    let have: HashSet<&String> = part.header.samples.iter().collect();
    let want: HashSet<&String> = samples.iter().collect();
    if have != want {
        let odd: Vec<&str> = samples
            .iter()
            .filter(|s| !have.contains(s))
            .chain(part.header.samples.iter().filter(|s| !want.contains(s)))
            .take(5)
            .map(String::as_str)
            .collect();
        let message = format!(
            "{} and {} do not have the same samples; only one of them has {}",
            first.display(),
            path.display(),
            odd.join(", ")
        );
        return Err(Error::new("SAMPLES_DIFFER", message));
    }
    Ok(())
}

/// First and last position of the overlap.
fn overlap((a, x): (&Path, &Part), (b, y): (&Path, &Part)) -> Result<(u32, u32)> {
    let (a, b) = (a.display(), b.display());
    if x.chrom != y.chrom {
        let message = format!("{a} holds chromosome {}, {b} chromosome {}; ligate one chromosome", x.chrom, y.chrom);
        return Err(Error::new("CHUNK_CHROM", message));
    }
    // Neither is empty: `positions` says so.
    let ends = |p: &Part| (p.positions[0], p.positions[p.positions.len() - 1]);
    let ((xf, xt), (yf, yt)) = (ends(x), ends(y));
    if yf < xf || yt <= xt {
        let message =
            format!("{b} ({yf}-{yt}) does not go on after {a} ({xf}-{xt}); give the chunks in order of position");
        return Err(Error::new("CHUNK_ORDER", message));
    }
    if yf > xt {
        let message = format!(
            "{a} ends at {xt}, {b} begins at {yf}: without common positions nothing ties their haplotypes together"
        );
        return Err(Error::new("CHUNK_OVERLAP", message));
    }
    Ok((yf, xt))
}

fn join(
    (a, x): (&PathBuf, &Part),
    (b, y): (&PathBuf, &Part),
    samples: &[String],
    haploid: &HashSet<String>,
    (from, to): (u32, u32),
    job: &Job,
) -> Result<Join> {
    let within = |p: &Part| {
        let range = p.positions.partition_point(|&q| q < from)..p.positions.partition_point(|&q| q <= to);
        p.positions[range].to_vec()
    };
    let (mine, theirs) = (within(x), within(y));
    let known: HashSet<u32> = theirs.iter().copied().collect();
    let shared: Vec<u32> = mine.iter().copied().filter(|p| known.contains(p)).collect();
    if shared.is_empty() {
        let message = format!(
            "{} and {} have no position in common between {from} and {to}; nothing ties their haplotypes together",
            a.display(),
            b.display()
        );
        return Err(Error::new("CHUNK_OVERLAP", message));
    }
    let options = ReadOptions {
        region: Some(format!("{}:{from}-{to}", x.chrom)),
        samples: Some(samples.to_vec()),
        role: Role::Scaffold,
        haploid: haploid.clone(),
        ..ReadOptions::default()
    };
    let read = |path: &Path| match read_loci(path, &options, job) {
        Err(e) if e.code == "NO_VARIANTS" => Ok(Loci::default()),
        other => other,
    };
    let (one, two) = (read(a)?, read(b)?);
    let n = samples.len();
    let mut out = Join {
        from,
        to,
        switch: shared[(shared.len() - 1) / 2],
        shared: shared.len() as u32,
        only_one: (mine.len() + theirs.len() - 2 * shared.len()) as u32,
        matches: vec![0; n],
        mismatches: vec![0; n],
        swapped: vec![false; n],
    };
    // One vote a position, however many rows it has.
    for pair in align(&one, &two).pairs {
        let (here, there) = (pair.here as usize, pair.there as usize);
        let (calls, others) = (one.calls_of(here), two.calls_of(there));
        let (flags, other_flags) = (one.flags_of(here), two.flags_of(there));
        for s in 0..n {
            let code = |c: u8| if c == MISSING { MISSING } else { pair.code[usize::from(c)] };
            let (g, o) = ([calls[2 * s], calls[2 * s + 1]], [code(others[2 * s]), code(others[2 * s + 1])]);
            let known = flags[s] & other_flags[s] & PHASED != 0 && (flags[s] | other_flags[s]) & HAPLOID == 0;
            if known && g[0] != g[1] && !g.contains(&MISSING) {
                out.matches[s] += u32::from(g == o);
                out.mismatches[s] += u32::from(g == [o[1], o[0]]);
            }
        }
    }
    for s in 0..n {
        out.swapped[s] = out.mismatches[s] > out.matches[s];
    }
    Ok(out)
}

/// Fields that every file declares alike, or not at all; others of the same name are somebody else's.
fn kept(parts: &[Part]) -> Vec<Field> {
    let declared = |part: &Part, id: &str| {
        let start = format!("##FORMAT=<ID={id},");
        part.header.lines.iter().find(|l| l.starts_with(&start)).cloned()
    };
    let ours = |line: &String, number: usize| line.contains(&format!(",Number={number},Type=Float,"));
    let mut out = Vec::new();
    for (id, number) in KEPT {
        let lines: Vec<String> = parts.iter().filter_map(|p| declared(p, id)).collect();
        if !lines.is_empty() && lines.iter().all(|l| ours(l, number)) {
            out.push(Field { id: id.to_owned(), description: String::new(), number, heterozygous: false });
        }
    }
    out
}

/// Lines of the first file, and those of the others that name something new.
fn merged(parts: &[Part]) -> Result<Header> {
    let mut lines = parts[0].header.lines.clone();
    for part in &parts[1..] {
        for line in &part.header.lines {
            let head = |l: &str| l.split([',', '>']).next().unwrap_or(l).to_owned();
            let id = head(line);
            if id.contains("=<ID=") && !lines.iter().any(|l| head(l) == id) {
                lines.push(line.clone());
            }
        }
    }
    let columns = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t";
    lines.push(format!("{columns}{}", parts[0].header.samples.join("\t")));
    Header::parse(lines.iter().map(String::as_bytes))
}

impl Ligation {
    /// Positions after the first and up to the second number are taken from file `i`.
    fn span(&self, i: usize) -> (u32, u32) {
        let from = if i == 0 { 0 } else { self.joins[i - 1].switch };
        let to = self.joins.get(i).map_or(u32::MAX, |j| j.switch);
        (from, to)
    }

    /// What a header is made of.
    pub fn about(&self) -> Loci {
        Loci {
            header: self.header.clone(),
            chrom: self.chrom.clone(),
            samples: self.samples.clone(),
            positions: vec![self.last],
            rows: self.undeclared.clone(),
            ..Loci::default()
        }
    }

    pub fn rows(self) -> LigatedRows {
        LigatedRows::new(self)
    }
}

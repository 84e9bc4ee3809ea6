//! The canonical order of a position's ALTs: it depends on the alleles alone, never on the order of the rows.

use x_simd::{Error, Result};

use crate::record::{ALT, MAX_ALLELES, REF, column, too_many_alts};

/// Code of each ALT of each row, and M + 1.
///
/// Every REF at a position starts with the same bases, so an ALT given against a shorter REF means the same as that ALT
/// followed by the rest of the longest one. Sequence alleles are compared in this form: shorter first, then by letter,
/// capitals and small letters alike. `*`, symbolic alleles and breakends follow, by their text. Two rows with the same
/// allele: DUP_SITE; REFs that disagree: REF_MISMATCH; more than 254 ALTs: TOO_MANY_ALTS.
pub fn canonical(sites: &[&[u8]]) -> Result<(Vec<Box<[u8]>>, u8)> {
    let mut keys = keys(sites)?;
    if keys.len() > MAX_ALLELES - 1 {
        return Err(too_many_alts(keys.len()));
    }
    keys.sort();
    if let Some(pair) = keys.windows(2).find(|p| p[0].0 == p[1].0) {
        let ((_, _, text), row, _) = &pair[1];
        let reference = shown(column(sites[*row], REF));
        let message = format!("the allele {reference}>{} comes twice at this position; remove duplicates", shown(text));
        return Err(Error::new("DUP_SITE", message));
    }
    let mut codes: Vec<Vec<u8>> = sites.iter().map(|_| Vec::new()).collect();
    for (code, (_, row, i)) in keys.iter().enumerate() {
        if codes[*row].len() <= *i {
            codes[*row].resize(i + 1, 0);
        }
        codes[*row][*i] = (code + 1) as u8;
    }
    Ok((codes.into_iter().map(Vec::into_boxed_slice).collect(), (keys.len() + 1) as u8))
}

/// Kind, length and text to sort by.
fn key(alt: &[u8], reference: &[u8], longest: &[u8]) -> (u8, usize, Vec<u8>) {
    let mut text = alt.to_ascii_uppercase();
    if is_sequence(alt) {
        text.extend_from_slice(&longest[reference.len()..]);
        return (0, text.len(), text);
    }
    // `<DEL>` of one base and of two are not the same; the text itself keeps its letters (contig names have case).
    let mut text = alt.to_vec();
    text.push(b' ');
    text.extend_from_slice(reference);
    (1, 0, text)
}

pub fn is_sequence(alt: &[u8]) -> bool {
    alt.iter().all(u8::is_ascii_alphabetic)
}

fn shown(allele: &[u8]) -> String {
    let text = String::from_utf8_lossy(&allele[..allele.len().min(30)]).into_owned();
    if allele.len() > 30 { text + "…" } else { text }
}

/// What an ALT is sorted by, its row, and its place in the row.
pub type Key = ((u8, usize, Vec<u8>), usize, usize);

/// Keys of all ALTs in the order they stand; REF_MISMATCH when the rows' REFs do not begin alike.
pub fn keys(sites: &[&[u8]]) -> Result<Vec<Key>> {
    let references: Vec<Vec<u8>> = sites.iter().map(|s| column(s, REF).to_ascii_uppercase()).collect();
    let longest = references.iter().max_by_key(|r| r.len()).cloned().unwrap_or_default();
    if let Some(other) = references.iter().find(|r| !longest.starts_with(r)) {
        let message = format!(
            "rows of one position disagree about the reference ({} and {}); align the file to one reference genome",
            shown(&longest),
            shown(other)
        );
        return Err(Error::new("REF_MISMATCH", message));
    }
    let mut keys = Vec::new();
    for (row, (site, reference)) in sites.iter().zip(&references).enumerate() {
        let alts = column(site, ALT);
        if alts == b"." {
            continue;
        }
        for (i, alt) in alts.split(|&b| b == b',').enumerate() {
            keys.push((key(alt, reference, &longest), row, i));
        }
    }
    Ok(keys)
}

//! The text format: columns split once, genotypes read by a scanner that knows `0/1` by sight.

use x_simd::{Error, Result};

use crate::header::Header;
use crate::record::{HAPLOID, MISSING, PHASED, Record, Wanted};
use crate::record::{allele_range, bad_likelihood, genotype_count, log10_likelihood, ploidy};

/// Reads one line.
pub fn parse(line: &[u8], header: &mut Header, wanted: &Wanted, out: &mut Record) -> Result<()> {
    out.clear();
    let mut columns = line.splitn(10, |&b| b == b'\t');
    let mut next = || columns.next();
    let (Some(chrom), Some(pos)) = (next(), next()) else { return Err(too_few(line, 8)) };
    out.contig = contig(header, chrom, out.contig)?;
    out.position = position(pos)?;
    for i in 0..6 {
        let column = next().ok_or_else(|| too_few(line, 8))?;
        if i > 0 {
            out.site.push(b'\t');
        }
        out.site.extend_from_slice(column);
        match i {
            1 if column.is_empty() || column == b"." => return Err(Error::new("VCF_COLUMNS", "REF is empty")),
            2 => out.alleles = 1 + alt_count(column)?,
            _ => {}
        }
    }
    if std::str::from_utf8(&out.site).is_err() {
        return Err(Error::new("VCF_COLUMNS", "a site column is not UTF-8 text"));
    }
    out.check_alleles()?;
    let n = header.samples.len();
    if n == 0 {
        return Ok(());
    }
    let format = next().ok_or_else(|| too_few(line, 9 + n))?;
    let samples = next().ok_or_else(|| too_few(line, 9 + n))?;
    let gt = format.split(|&b| b == b':').position(|f| f == b"GT");
    let gt = gt.ok_or_else(|| Error::new("VCF_NO_GT", "the record has no GT field; phasing needs genotypes"))?;
    out.genotypes.reserve(2 * n);
    out.flags.reserve(n);
    let read = genotypes(samples, gt, n, out)?;
    if read != n {
        return Err(columns_error(read, n));
    }
    out.fields.resize_with(wanted.fields.len(), Vec::new);
    for ((name, width), values) in wanted.fields.iter().zip(&mut out.fields) {
        if let Some(field) = place(format, name) {
            floats(samples, field, *width, values, &|_, _| Ok(()))?;
        }
    }
    if wanted.likelihoods { values(format, samples, n, out) } else { Ok(()) }
}

fn alt_count(alt: &[u8]) -> Result<usize> {
    if alt == b"." {
        return Ok(0);
    }
    if alt.is_empty() || alt.split(|&b| b == b',').any(<[u8]>::is_empty) {
        return Err(Error::new("VCF_COLUMNS", "an ALT allele is empty"));
    }
    Ok(alt.split(|&b| b == b',').count())
}

/// All samples' GT; returns how many there were.
fn genotypes(samples: &[u8], gt: usize, n: usize, out: &mut Record) -> Result<usize> {
    let mut at = 0;
    let mut count = 0;
    loop {
        let rest = &samples[at..];
        // Nearly every call of nearly every file: two digits and a bar.
        if gt == 0
            && let [a @ b'0'..=b'9', bar @ (b'/' | b'|'), b @ b'0'..=b'9', tail @ ..] = rest
            && matches!(tail.first(), None | Some(b'\t' | b':'))
        {
            let (a, b) = (a - b'0', b - b'0');
            if usize::from(a.max(b)) >= out.alleles {
                return Err(allele_range(count, usize::from(a.max(b)), out.alleles));
            }
            out.genotypes.extend_from_slice(&[a, b]);
            out.flags.push(if *bar == b'|' { PHASED } else { 0 });
            at += 3;
        } else {
            let end = rest.iter().position(|&b| b == b'\t').unwrap_or(rest.len());
            let field = rest[..end].split(|&b| b == b':').nth(gt).unwrap_or(b".");
            if count >= n {
                return Err(columns_error(count + 1, n));
            }
            one(field, count, out)?;
            at += end;
        }
        count += 1;
        match samples[at..].iter().position(|&b| b == b'\t') {
            Some(tab) => at += tab + 1,
            None => return Ok(count),
        }
    }
}

fn one(field: &[u8], sample: usize, out: &mut Record) -> Result<()> {
    let field = field.strip_prefix(b"|").or_else(|| field.strip_prefix(b"/")).unwrap_or(field); // VCF 4.4's leading bar
    let count = field.split(|b| matches!(b, b'/' | b'|')).count();
    if count > 2 {
        return Err(ploidy(sample, count));
    }
    let mut alleles = [MISSING; 2];
    for (slot, text) in alleles.iter_mut().zip(field.split(|b| matches!(b, b'/' | b'|'))) {
        if text == b"." {
            continue;
        }
        let number = std::str::from_utf8(text).ok().filter(|t| t.bytes().all(|b| b.is_ascii_digit()));
        let Some(allele) = number.and_then(|t| t.parse::<usize>().ok()) else {
            let message = format!("sample {}: {:?} is no genotype", sample + 1, String::from_utf8_lossy(field));
            return Err(Error::new("VCF_GT", message).with("sample", (sample + 1) as f64));
        };
        if allele >= out.alleles {
            return Err(allele_range(sample, allele, out.alleles));
        }
        *slot = allele as u8;
    }
    let mut flags = if field.contains(&b'|') { PHASED } else { 0 };
    if count == 1 {
        alleles[1] = alleles[0];
        // A lone dot says nothing about ploidy.
        flags = if alleles[0] == MISSING { 0 } else { PHASED | HAPLOID };
    }
    out.genotypes.extend_from_slice(&alleles);
    out.flags.push(flags);
    Ok(())
}

/// `width` floats a sample of the FORMAT field in place `field`, NaN for a dot. A sample with other text than that many
/// numbers goes to `wrong`; none of its numbers is known then.
fn floats(
    samples: &[u8],
    field: usize,
    width: usize,
    out: &mut Vec<f32>,
    wrong: &dyn Fn(usize, &[u8]) -> Result<()>,
) -> Result<()> {
    let number = |text: &[u8]| match text {
        b"." => Some(f32::NAN),
        _ => std::str::from_utf8(text).ok()?.parse::<f32>().ok().filter(|v| v.is_finite()),
    };
    for (s, sample) in samples.split(|&b| b == b'\t').enumerate() {
        let start = out.len();
        let text = sample.split(|&b| b == b':').nth(field).unwrap_or(b".");
        out.extend(text.split(|&b| b == b',').map_while(number).take(width + 1));
        let read = out.len() - start;
        if read != width || text.split(|&b| b == b',').count() != width {
            out.truncate(start);
            out.resize(start + width, f32::NAN);
            if text != b"." {
                wrong(s, text)?;
            }
        }
    }
    Ok(())
}

fn place(format: &[u8], name: &str) -> Option<usize> {
    format.split(|&b| b == b':').position(|f| f == name.as_bytes())
}

/// PL, or GL where there is no PL. VCF_PL: of another number than genotypes (one a haplotype is a haploid call's, and
/// unknown), no numbers, or not finite.
fn values(format: &[u8], samples: &[u8], n: usize, out: &mut Record) -> Result<()> {
    let (field, name) = match (place(format, "PL"), place(format, "GL")) {
        (Some(i), _) => (i, "PL"),
        (None, Some(i)) => (i, "GL"),
        (None, None) => return Ok(()),
    };
    let Record { alleles, flags, genotypes, likelihoods, .. } = out;
    let width = genotype_count(*alleles);
    likelihoods.try_reserve(width * n).map_err(|_| Error::new("ALLOC", "not enough memory for PL"))?;
    floats(samples, field, width, likelihoods, &|s, text| {
        let parts = text.split(|&b| b == b',');
        let number = |t: &[u8]| std::str::from_utf8(t).is_ok_and(|t| t.parse::<f32>().is_ok_and(f32::is_finite));
        let haploid = flags[s] & HAPLOID != 0 || genotypes[2 * s] == MISSING;
        if haploid && parts.clone().count() == *alleles && parts.clone().all(|t| t == b"." || number(t)) {
            return Ok(());
        }
        let shown = String::from_utf8_lossy(&text[..text.len().min(40)]);
        Err(bad_likelihood(s, name, &shown, width))
    })?;
    for (i, value) in likelihoods.iter_mut().enumerate() {
        *value = log10_likelihood(*value, name == "PL")
            .ok_or_else(|| bad_likelihood(i / width, name, &value.to_string(), width))?;
    }
    Ok(())
}

fn contig(header: &mut Header, name: &[u8], last: usize) -> Result<usize> {
    if let Some(Some((known, _))) = header.contigs.get(last)
        && known.as_bytes() == name
    {
        return Ok(last);
    }
    let name = std::str::from_utf8(name).ok().filter(|t| !t.is_empty());
    let name = name.ok_or_else(|| Error::new("VCF_COLUMNS", "CHROM is empty or no text"))?;
    Ok(header.contig_index(name).unwrap_or_else(|| {
        header.contigs.push(Some((name.to_owned(), None)));
        header.contigs.len() - 1
    }))
}

fn position(text: &[u8]) -> Result<u32> {
    let number = std::str::from_utf8(text).ok().filter(|t| t.bytes().all(|b| b.is_ascii_digit()));
    number.and_then(|t| t.parse::<u32>().ok()).filter(|&p| p <= i32::MAX as u32).ok_or_else(|| {
        Error::new("VCF_COLUMNS", format!("POS is {:?}, a number was expected", String::from_utf8_lossy(text)))
    })
}

fn too_few(line: &[u8], wanted: usize) -> Error {
    let found = line.iter().filter(|&&b| b == b'\t').count() + 1;
    Error::new("VCF_COLUMNS", format!("{found} tab-separated columns, {wanted} expected: the record was cut"))
        .with("columns", found as f64)
}

fn columns_error(found: usize, wanted: usize) -> Error {
    let message = format!("genotypes of {found} samples, {wanted} expected from the #CHROM line: the record was cut");
    Error::new("VCF_COLUMNS", message).with("columns", (9 + found) as f64)
}

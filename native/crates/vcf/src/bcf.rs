//! BCF records: every length is checked before it is used; genotypes are read straight from their fixed-width vector.

use x_simd::{Error, Result};

use crate::header::{Header, ValueType};
use crate::record::{HAPLOID, MISSING, PHASED, Record, Wanted};
use crate::record::{allele_range, bad_likelihood, genotype_count, log10_likelihood, ploidy};
use crate::typed::{Cursor, FLOAT, TEXT, Typed, cut, dictionary, write_float};

/// Decodes one record from its two blocks.
pub fn decode(shared: &[u8], indiv: &[u8], header: &Header, wanted: &Wanted, out: &mut Record) -> Result<()> {
    out.clear();
    let mut c = Cursor(shared);
    let contig = c.i32()?;
    out.contig = usize::try_from(contig)
        .ok()
        .filter(|&i| header.contigs.get(i).is_some_and(Option::is_some))
        .ok_or_else(|| dictionary("contig", i64::from(contig)))?;
    let position = i64::from(c.i32()?) + 1;
    out.position = u32::try_from(position).map_err(|_| Error::new("BCF_RECORD", format!("position {position}")))?;
    c.i32()?; // reference length: follows from REF and END
    let quality = c.u32()?;
    let counts = c.u32()?;
    let (infos, alleles) = (counts & 0xffff, (counts >> 16) as usize);
    let counts = c.u32()?;
    let (samples, formats) = ((counts & 0x00ff_ffff) as usize, counts >> 24);
    if alleles == 0 {
        return Err(Error::new("BCF_RECORD", "the record has no REF allele"));
    }
    out.alleles = alleles;
    out.check_alleles()?;
    if samples != header.samples.len() {
        let message = format!("genotypes of {samples} samples, {} expected from the header", header.samples.len());
        return Err(Error::new("VCF_COLUMNS", message));
    }
    site(&mut c, alleles, quality, infos, header, out)?;
    if samples == 0 {
        return Ok(());
    }
    let mut c = Cursor(indiv);
    let (mut gt, mut pl, mut gl) = (None, None, None);
    out.fields.resize_with(wanted.fields.len(), Vec::new);
    for _ in 0..formats {
        let name = c.name(header)?;
        let typed = c.typed_vectors(samples)?;
        match name {
            "GT" => gt = Some(typed),
            "PL" => pl = Some(typed),
            "GL" => gl = Some(typed),
            _ => {
                if let Some(i) = wanted.fields.iter().position(|f| f.0 == name) {
                    floats(&typed, samples * wanted.fields[i].1, &mut out.fields[i])?;
                }
            }
        }
    }
    let gt = gt.ok_or_else(|| Error::new("VCF_NO_GT", "the record has no GT field; phasing needs genotypes"))?;
    genotypes(&gt, samples, out)?;
    if wanted.likelihoods
        && let Some((typed, phred)) = pl.map(|t| (t, true)).or(gl.map(|t| (t, false)))
    {
        values(&typed, samples, phred, out)?;
    }
    Ok(())
}

/// The six text columns.
fn site(c: &mut Cursor, alleles: usize, quality: u32, infos: u32, header: &Header, out: &mut Record) -> Result<()> {
    let id = c.typed()?;
    let text = id.text()?;
    out.site.extend_from_slice(if text.is_empty() { b"." } else { text });
    for i in 0..alleles {
        out.site.push(if i < 2 { b'\t' } else { b',' });
        let allele = c.typed()?;
        let text = allele.text()?;
        if text.is_empty() || text.iter().any(|b| matches!(b, b'\t' | b'\n' | b',')) {
            return Err(Error::new("BCF_RECORD", "an allele is empty or holds a separator"));
        }
        out.site.extend_from_slice(text);
    }
    if alleles == 1 {
        out.site.extend_from_slice(b"\t.");
    }
    out.site.push(b'\t');
    write_float(quality, &mut out.site);
    out.site.push(b'\t');
    let filters = c.typed()?;
    let start = out.site.len();
    for i in 0..filters.len {
        if i > 0 {
            out.site.push(b';');
        }
        let number = filters.int(i)?.ok_or_else(|| dictionary("filter", -1))?;
        out.site.extend_from_slice(header_name(header, i64::from(number))?.as_bytes());
    }
    if out.site.len() == start {
        out.site.push(b'.');
    }
    out.site.push(b'\t');
    let start = out.site.len();
    for _ in 0..infos {
        if out.site.len() > start {
            out.site.push(b';');
        }
        let name = c.name(header)?;
        out.site.extend_from_slice(name.as_bytes());
        let value = c.typed()?;
        if value.len == 0 || header.info.get(name) == Some(&ValueType::Flag) {
            continue;
        }
        out.site.push(b'=');
        value.write(&mut out.site)?;
    }
    if out.site.len() == start {
        out.site.push(b'.');
    }
    if std::str::from_utf8(&out.site).is_err() {
        return Err(Error::new("BCF_RECORD", "a site column is not UTF-8 text"));
    }
    if out.site.contains(&b'\n') || out.site.iter().filter(|&&b| b == b'\t').count() != 5 {
        return Err(Error::new("BCF_RECORD", "a text holds a tab or a line end"));
    }
    Ok(())
}

pub fn header_name(header: &Header, index: i64) -> Result<&str> {
    usize::try_from(index)
        .ok()
        .and_then(|i| header.strings.get(i))
        .and_then(Option::as_deref)
        .ok_or_else(|| dictionary("string", index))
}

fn genotypes(gt: &Typed, samples: usize, out: &mut Record) -> Result<()> {
    out.genotypes.reserve(2 * samples);
    out.flags.reserve(samples);
    if gt.kind == 1 && gt.len == 2 {
        for (s, pair) in gt.bytes.chunks_exact(2).enumerate() {
            let (a, b) = (pair[0], pair[1]);
            // Below 0x80 neither the missing value nor the end mark of a vector; the rest takes the slow way.
            if a | b < 0x80 {
                let (x, y) = ((a >> 1).wrapping_sub(1), (b >> 1).wrapping_sub(1));
                for allele in [x, y] {
                    if allele != MISSING && usize::from(allele) >= out.alleles {
                        return Err(allele_range(s, usize::from(allele), out.alleles));
                    }
                }
                out.genotypes.extend_from_slice(&[x, y]);
                out.flags.push(b & 1);
            } else {
                call(gt, s, out)?;
            }
        }
        return Ok(());
    }
    (0..samples).try_for_each(|s| call(gt, s, out))
}

fn call(gt: &Typed, sample: usize, out: &mut Record) -> Result<()> {
    let mut alleles = [MISSING; 2];
    let (mut count, mut flags) = (0, 0);
    for i in 0..gt.len {
        let Some(value) = gt.int_or_end(sample * gt.len + i)? else { break };
        count += 1;
        if count > 2 {
            continue;
        }
        // A missing integer in place of an allele: some writers do this for a whole missing call.
        let value = value.unwrap_or(0);
        if value < 0 {
            return Err(Error::new("VCF_GT", format!("sample {}: {value} is no genotype", sample + 1)));
        }
        let allele = value >> 1;
        if allele > 0 {
            let allele = (allele - 1) as usize;
            if allele >= out.alleles {
                return Err(allele_range(sample, allele, out.alleles));
            }
            alleles[count - 1] = allele as u8;
        }
        if count == 2 && value & 1 == 1 {
            flags = PHASED;
        }
    }
    if count > 2 {
        return Err(ploidy(sample, count));
    }
    if count == 1 {
        alleles[1] = alleles[0];
        flags = if alleles[0] == MISSING { 0 } else { PHASED | HAPLOID };
    }
    out.genotypes.extend_from_slice(&alleles);
    out.flags.push(flags);
    Ok(())
}

/// `count` floats of all samples together; of another type or number, none is known.
fn floats(typed: &Typed, count: usize, out: &mut Vec<f32>) -> Result<()> {
    out.clear();
    if typed.kind != FLOAT || typed.bytes.len() != 4 * count {
        return Ok(());
    }
    for i in 0..count {
        out.push(typed.float(i)?.unwrap_or(f32::NAN));
    }
    Ok(())
}

/// VCF_PL as in the text format. A haploid sample's vector ends early.
fn values(typed: &Typed, samples: usize, phred: bool, out: &mut Record) -> Result<()> {
    let width = genotype_count(out.alleles);
    let name = if phred { "PL" } else { "GL" };
    out.likelihoods.try_reserve(width * samples).map_err(|_| Error::new("ALLOC", "not enough memory for PL"))?;
    for s in 0..samples {
        let start = out.likelihoods.len();
        let mut known = 0;
        for i in 0..typed.len {
            let at = s * typed.len + i;
            let value = match typed.kind {
                FLOAT => typed.float(at)?,
                TEXT => return Err(bad_likelihood(s, name, "text", width)),
                _ => typed.int(at)?.map(|v| v as f32),
            };
            known += usize::from(value.is_some());
            if i < width {
                let wrong = |v: f32| bad_likelihood(s, name, &v.to_string(), width);
                let log = |v: f32| log10_likelihood(v, phred).filter(|l| !l.is_nan()).ok_or_else(|| wrong(v));
                out.likelihoods.push(value.map_or(Ok(f32::NAN), log)?);
            }
        }
        let haploid = out.flags[s] & HAPLOID != 0 || out.genotypes[2 * s] == MISSING;
        let short = if haploid { out.alleles } else { 0 };
        if typed.len != width && known > 0 && known != short {
            return Err(bad_likelihood(s, name, &format!("{known} numbers"), width));
        }
        if known < width {
            out.likelihoods.truncate(start);
            out.likelihoods.resize(start + width, f32::NAN);
        }
    }
    Ok(())
}

/// The two lengths in front of a record. Neither can be trusted: a record larger than `limit` is refused, not allocated.
pub fn lengths(bytes: &[u8], limit: usize) -> Result<(usize, usize)> {
    let mut c = Cursor(bytes);
    let (shared, indiv) = (c.u32()? as usize, c.u32()? as usize);
    if shared < 24 || shared > limit || indiv > limit {
        let message = format!("a record claims {shared} + {indiv} bytes: the file is damaged or no BCF");
        return Err(Error::new("BCF_LENGTH", message).with("shared", shared as f64).with("indiv", indiv as f64));
    }
    Ok((shared, indiv))
}

pub fn record_cut() -> Error {
    cut("the file ends inside a record")
}

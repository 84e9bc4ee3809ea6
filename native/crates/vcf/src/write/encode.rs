//! One record in either format.

use x_simd::{Error, Result};

use super::Field;
use super::head::OutHeader;
use super::row::{OutRow, entry};
use crate::header::ValueType;
use crate::record::{ALT, FILTER, HAPLOID, ID, INFO, MISSING, PHASED, QUAL, REF, column};
use crate::typed::{FLOAT, float_bits, put_descriptor, put_floats, put_ints, put_text, write_float};

/// Bases the record covers.
pub fn length(row: &OutRow) -> u64 {
    let end = column(&row.site, INFO).split(|&b| b == b';').find_map(|e| match entry(e) {
        (b"END", Some(value)) => std::str::from_utf8(value).ok()?.parse::<u64>().ok(),
        _ => None,
    });
    let start = u64::from(row.position);
    match end {
        Some(end) if end >= start && end <= i32::MAX as u64 => end + 1 - start,
        _ => column(&row.site, REF).len() as u64,
    }
}

pub fn text(row: &OutRow, chrom: &str, fields: &[Field], out: &mut Vec<u8>) {
    out.extend_from_slice(chrom.as_bytes());
    out.push(b'\t');
    out.extend_from_slice(row.position.to_string().as_bytes());
    out.push(b'\t');
    out.extend_from_slice(&row.site);
    out.extend_from_slice(b"\tGT");
    for (field, _) in fields.iter().zip(&row.extra) {
        out.push(b':');
        out.extend_from_slice(field.id.as_bytes());
    }
    let n = row.flags.len();
    for s in 0..n {
        out.push(b'\t');
        allele(row.genotypes[2 * s], out);
        if row.flags[s] & HAPLOID == 0 {
            out.push(if row.flags[s] & PHASED != 0 { b'|' } else { b'/' });
            allele(row.genotypes[2 * s + 1], out);
        }
        for (field, values) in fields.iter().zip(&row.extra) {
            for (i, &value) in values[s * field.number..][..field.number].iter().enumerate() {
                out.push(if i == 0 { b':' } else { b',' });
                write_float(float_bits(known(value)), out);
            }
        }
    }
    out.push(b'\n');
}

fn known(value: f32) -> Option<f32> {
    (!value.is_nan()).then_some(value)
}

fn allele(a: u8, out: &mut Vec<u8>) {
    match a {
        MISSING => out.push(b'.'),
        0..=9 => out.push(b'0' + a),
        _ => out.extend_from_slice(a.to_string().as_bytes()),
    }
}

pub fn bcf(row: &OutRow, header: &OutHeader, fields: &[Field], out: &mut Vec<u8>) -> Result<()> {
    out.extend_from_slice(&[0; 8]);
    let site = |i| column(&row.site, i);
    let put = |v: u32, out: &mut Vec<u8>| out.extend_from_slice(&v.to_le_bytes());
    put(header.contig as u32, out);
    put(row.position.wrapping_sub(1), out);
    put(length(row) as u32, out);
    put(float_bits(float("QUAL", site(QUAL))?), out);
    let infos: Vec<&[u8]> = site(INFO).split(|&b| b == b';').filter(|e| !e.is_empty() && *e != b".").collect();
    put((row.alleles as u32) << 16 | infos.len() as u32, out);
    put((1 + row.extra.len() as u32) << 24 | row.flags.len() as u32, out);
    put_text(if site(ID) == b"." { b"" } else { site(ID) }, out);
    put_text(site(REF), out);
    if row.alleles > 1 {
        site(ALT).split(|&b| b == b',').for_each(|a| put_text(a, out));
    }
    let filters = site(FILTER).split(|&b| b == b';').filter(|f| !f.is_empty() && *f != b".");
    let filters: Vec<Option<i32>> = filters.map(|f| number(header, f).map(Some)).collect::<Result<_>>()?;
    put_ints(&filters, out);
    for info in infos {
        let (name, value) = entry(info);
        put_ints(&[Some(number(header, name)?)], out);
        put_info(header, name, value, out)?;
    }
    let shared = (out.len() - 8) as u32;
    put_ints(&[Some(number(header, b"GT")?)], out);
    genotypes(row, out);
    for (field, values) in fields.iter().zip(&row.extra) {
        put_ints(&[Some(number(header, field.id.as_bytes())?)], out);
        put_descriptor(FLOAT, field.number, out);
        values.iter().for_each(|v| out.extend_from_slice(&float_bits(known(*v)).to_le_bytes()));
    }
    let indiv = out.len() as u32 - 8 - shared;
    out[..4].copy_from_slice(&shared.to_le_bytes());
    out[4..8].copy_from_slice(&indiv.to_le_bytes());
    Ok(())
}

/// Small allele numbers in one byte, as htslib does; a haploid call ends its vector early.
fn genotypes(row: &OutRow, out: &mut Vec<u8>) {
    let haploid = row.flags.iter().all(|f| f & HAPLOID != 0);
    let width = if haploid { 1 } else { 2 };
    let wide = row.alleles > 62;
    put_descriptor(if wide { 2 } else { 1 }, width, out);
    for (pair, flags) in row.genotypes.chunks_exact(2).zip(&row.flags) {
        for (i, &a) in pair[..width].iter().enumerate() {
            let phased = i16::from(i == 1 && flags & PHASED != 0);
            let value = if a == MISSING { phased } else { (i16::from(a) + 1) << 1 | phased };
            let ended = i == 1 && flags & HAPLOID != 0;
            if wide {
                out.extend_from_slice(&if ended { i16::MIN + 1 } else { value }.to_le_bytes());
            } else {
                out.push(if ended { i8::MIN + 1 } else { value as i8 } as u8);
            }
        }
    }
}

fn number(header: &OutHeader, name: &[u8]) -> Result<i32> {
    let text = String::from_utf8_lossy(name);
    let found = header.parsed.string_index(&text);
    found.map(|i| i as i32).ok_or_else(|| Error::new("BCF_DICT", format!("{text} is not in the output's header")))
}

fn put_info(header: &OutHeader, name: &[u8], value: Option<&[u8]>, out: &mut Vec<u8>) -> Result<()> {
    let key = String::from_utf8_lossy(name);
    let kind = header.parsed.info.get(key.as_ref()).copied().unwrap_or(ValueType::Text);
    let Some(value) = value else {
        out.push(0);
        return Ok(());
    };
    let parts = || value.split(|&b| b == b',');
    match kind {
        ValueType::Flag => out.push(0),
        ValueType::Text => put_text(value, out),
        ValueType::Integer => {
            let numbers = parts().map(|t| if t == b"." { Ok(None) } else { whole(&key, t).map(Some) });
            put_ints(&numbers.collect::<Result<Vec<_>>>()?, out);
        }
        ValueType::Float => {
            put_floats(&parts().map(|t| float(&format!("INFO/{key}"), t)).collect::<Result<Vec<_>>>()?, out)
        }
    }
    Ok(())
}

fn whole(key: &str, text: &[u8]) -> Result<i32> {
    let number = std::str::from_utf8(text).ok().and_then(|t| t.parse::<i32>().ok()).filter(|&n| n >= i32::MIN + 8);
    number.ok_or_else(|| {
        let shown = String::from_utf8_lossy(text).into_owned();
        let message =
            format!("INFO/{key} is declared Integer but holds {shown}; BCF cannot store it, write VCF instead");
        Error::new("VCF_INFO", message)
    })
}

fn float(field: &str, text: &[u8]) -> Result<Option<f32>> {
    if text == b"." {
        return Ok(None);
    }
    std::str::from_utf8(text).ok().and_then(|t| t.parse::<f32>().ok()).map(Some).ok_or_else(|| {
        let shown = String::from_utf8_lossy(text).into_owned();
        Error::new(
            "VCF_INFO",
            format!("{field} is {shown}, which is no number; BCF cannot store it, write VCF instead"),
        )
    })
}

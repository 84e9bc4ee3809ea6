//! Handle to genotypes by position in Rust memory.

use std::sync::{Arc, RwLock};

use napi::bindgen_prelude::{Uint8Array, Uint32Array};
use napi_derive::napi;
use x_simd::{Error, Result};
use x_vcf::loci::Reason;

use crate::work::to_napi;

/// `None` once released.
pub type Shared = Arc<RwLock<Option<Arc<x_vcf::Loci>>>>;

#[napi]
pub struct Loci {
    pub(crate) inner: Shared,
}

#[napi(object)]
pub struct LociCounts {
    pub records: f64,
    pub other_chromosome: f64,
    pub outside_region: f64,
    pub min_maf: f64,
    pub no_alt: f64,
    pub conflict_positions: f64,
    pub conflict_samples: f64,
    pub supersites: f64,
    pub supersite_rows: f64,
}

#[napi(object)]
pub struct ConflictRow {
    pub position: u32,
    pub sample: String,
    pub rows: String,
    pub excluded: bool,
}

#[napi(object)]
pub struct ExcludedPosition {
    pub position: u32,
    pub rows: u32,
    /// `conflict`, `minMaf`, `noAlt` or `notInReference`.
    pub reason: String,
}

/// One entry a locus: what it is called, the longest REF, the ALTs by code with commas between.
#[napi(object)]
pub struct SiteTexts {
    pub id: Vec<String>,
    pub reference: Vec<String>,
    pub alt: Vec<String>,
}

/// Bits of all loci, codes of those that need them.
#[napi(object)]
pub struct PackedHaplotypes {
    pub bits: Uint8Array,
    pub codes: Uint8Array,
    /// One a locus: does it have codes?
    pub coded: Uint8Array,
}

impl Loci {
    pub fn wrap(loci: x_vcf::Loci) -> Self {
        Self { inner: Arc::new(RwLock::new(Some(Arc::new(loci)))) }
    }
}

/// The loci, if they are still there.
pub fn get(shared: &Shared) -> Result<Arc<x_vcf::Loci>> {
    let guard = shared.read().map_err(|_| Error::new("NATIVE_PANIC", "an earlier call on these loci panicked"))?;
    guard.clone().ok_or_else(|| Error::new("LOCI_RELEASED", "these loci were released by an earlier call"))
}

/// The loci, out of their handle.
pub fn take(shared: &Shared) -> Result<Arc<x_vcf::Loci>> {
    let loci = get(shared)?;
    if let Ok(mut guard) = shared.write() {
        *guard = None;
    }
    Ok(loci)
}

fn range(loci: &x_vcf::Loci, from: u32, to: u32) -> Result<std::ops::Range<usize>> {
    let (from, to) = (from as usize, to as usize);
    if from > to || to > loci.len() {
        let message = format!("loci {from} to {to} were asked for, there are {}", loci.len());
        return Err(Error::new("LOCI_RANGE", message));
    }
    Ok(from..to)
}

#[napi]
impl Loci {
    #[napi(getter, catch_unwind)]
    pub fn length(&self) -> napi::Result<u32> {
        get(&self.inner).map(|l| l.len() as u32).map_err(to_napi)
    }

    #[napi(getter, catch_unwind)]
    pub fn rows(&self) -> napi::Result<u32> {
        get(&self.inner).map(|l| l.rows.len() as u32).map_err(to_napi)
    }

    #[napi(getter, catch_unwind)]
    pub fn chrom(&self) -> napi::Result<String> {
        get(&self.inner).map(|l| l.chrom.clone()).map_err(to_napi)
    }

    #[napi(getter, catch_unwind)]
    pub fn samples(&self) -> napi::Result<Vec<String>> {
        get(&self.inner).map(|l| l.samples.clone()).map_err(to_napi)
    }

    #[napi(getter, catch_unwind)]
    pub fn positions(&self) -> napi::Result<Uint32Array> {
        get(&self.inner).map(|l| Uint32Array::new(l.positions.clone())).map_err(to_napi)
    }

    /// M + 1 of each locus.
    #[napi(getter, catch_unwind)]
    pub fn codes(&self) -> napi::Result<Uint8Array> {
        get(&self.inner).map(|l| Uint8Array::new(l.codes.clone())).map_err(to_napi)
    }

    /// The index is older than the file.
    #[napi(getter, catch_unwind)]
    pub fn index_older(&self) -> napi::Result<bool> {
        get(&self.inner).map(|l| l.index_older).map_err(to_napi)
    }

    #[napi(getter, catch_unwind)]
    pub fn counts(&self) -> napi::Result<LociCounts> {
        let c = get(&self.inner).map_err(to_napi)?.counts;
        Ok(LociCounts {
            records: c.records as f64,
            other_chromosome: c.other_chromosome as f64,
            outside_region: c.outside_region as f64,
            min_maf: c.min_maf as f64,
            no_alt: c.no_alt as f64,
            conflict_positions: c.conflict_positions as f64,
            conflict_samples: c.conflict_samples as f64,
            supersites: c.supersites as f64,
            supersite_rows: c.supersite_rows as f64,
        })
    }

    #[napi(catch_unwind)]
    pub fn conflicts(&self) -> napi::Result<Vec<ConflictRow>> {
        let loci = get(&self.inner).map_err(to_napi)?;
        let row = |c: &x_vcf::loci::Conflict| ConflictRow {
            position: c.position,
            sample: c.sample.clone(),
            rows: c.rows.clone(),
            excluded: c.excluded,
        };
        Ok(loci.conflicts.iter().map(row).collect())
    }

    #[napi(catch_unwind)]
    pub fn excluded(&self) -> napi::Result<Vec<ExcludedPosition>> {
        let loci = get(&self.inner).map_err(to_napi)?;
        let one = |e: &x_vcf::loci::Excluded| ExcludedPosition {
            position: e.position,
            rows: e.rows.len() as u32,
            reason: match e.reason {
                Reason::Conflict => "conflict",
                Reason::MinMaf => "minMaf",
                Reason::NoAlt => "noAlt",
                Reason::NotInReference => "notInReference",
            }
            .to_owned(),
        };
        Ok(loci.excluded.iter().map(one).collect())
    }

    /// Two codes a sample of the loci `from .. to`; 255 = missing.
    #[napi(catch_unwind)]
    pub fn calls(&self, from: u32, to: u32) -> napi::Result<Uint8Array> {
        let loci = get(&self.inner).map_err(to_napi)?;
        let at = range(&loci, from, to).map_err(to_napi)?;
        let width = 2 * loci.samples.len();
        Ok(Uint8Array::new(loci.calls[at.start * width..at.end * width].to_vec()))
    }

    /// One byte a sample: bit 0 phased, bit 1 haploid.
    #[napi(catch_unwind)]
    pub fn flags(&self, from: u32, to: u32) -> napi::Result<Uint8Array> {
        let loci = get(&self.inner).map_err(to_napi)?;
        let at = range(&loci, from, to).map_err(to_napi)?;
        let width = loci.samples.len();
        Ok(Uint8Array::new(loci.flags[at.start * width..at.end * width].to_vec()))
    }

    #[napi(catch_unwind)]
    pub fn sites(&self, from: u32, to: u32) -> napi::Result<SiteTexts> {
        let loci = get(&self.inner).map_err(to_napi)?;
        let at = range(&loci, from, to).map_err(to_napi)?;
        let sites: Vec<[String; 3]> = at.map(|i| loci.site(i)).collect();
        let column = |i: usize| sites.iter().map(|s| s[i].clone()).collect();
        Ok(SiteTexts { id: column(0), reference: column(1), alt: column(2) })
    }

    /// Haplotypes of the loci `from .. to` for Arrow: bits where a locus has one ALT, codes elsewhere. `codes`: phased
    /// haplotypes of all loci; null for the calls as read.
    #[napi(catch_unwind)]
    pub fn haplotypes(&self, from: u32, to: u32, codes: Option<Uint8Array>) -> napi::Result<PackedHaplotypes> {
        let loci = get(&self.inner).map_err(to_napi)?;
        let at = range(&loci, from, to).map_err(to_napi)?;
        if let Some(codes) = &codes
            && codes.len() != loci.calls.len()
        {
            let message = format!("{} codes for {} calls", codes.len(), loci.calls.len());
            return Err(to_napi(Error::new("HAPLOTYPE_SHAPE", message)));
        }
        let packed = loci.pack(at, codes.as_ref().map(|c| &c[..]));
        Ok(PackedHaplotypes {
            bits: Uint8Array::new(packed.bits),
            codes: Uint8Array::new(packed.codes),
            coded: Uint8Array::new(packed.coded),
        })
    }

    /// Frees the memory now instead of at the next garbage collection.
    #[napi(catch_unwind)]
    pub fn release(&self) {
        if let Ok(mut guard) = self.inner.write() {
            *guard = None;
        }
    }
}

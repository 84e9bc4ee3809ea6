//! Loci from packed or counted genotypes.

use napi_derive::napi;
use x_simd::Error;

use crate::loci::Loci;
use crate::vcf::LociOptions;
use crate::work::to_napi;

/// Takes biallelic rows in order of position.
#[napi]
pub struct LociRows(Option<x_vcf::RowsBuilder>);

#[napi]
impl LociRows {
    #[napi(constructor, catch_unwind)]
    pub fn new(chrom: String, samples: Vec<String>, options: LociOptions) -> napi::Result<Self> {
        let options = options.into_read().map_err(to_napi)?;
        x_vcf::RowsBuilder::new(&chrom, &samples, &options).map(|b| Self(Some(b))).map_err(to_napi)
    }

    /// PLINK's two bits a person, `⌈n/4⌉` bytes a row; A1 is ALT.
    #[napi(catch_unwind)]
    pub fn packed(
        &mut self,
        positions: &[i32],
        ids: Vec<String>,
        a1: Vec<String>,
        a2: Vec<String>,
        packed: &[u8],
    ) -> napi::Result<()> {
        let width = packed.len().checked_div(positions.len()).unwrap_or(0);
        self.each(positions, &ids, &a1, &a2, |b, i, p| {
            b.push_packed(p, &ids[i], &a1[i], &a2[i], &packed[i * width..(i + 1) * width])
        })
    }

    /// Copies of A1, one a person; anything but 0, 1 and 2 is missing. A1 is ALT.
    #[napi(catch_unwind)]
    pub fn counts(
        &mut self,
        positions: &[i32],
        ids: Vec<String>,
        a1: Vec<String>,
        a2: Vec<String>,
        copies: &[i8],
    ) -> napi::Result<()> {
        let width = copies.len().checked_div(positions.len()).unwrap_or(0);
        self.each(positions, &ids, &a1, &a2, |b, i, p| {
            b.push(p, &ids[i], [&a2[i], &a1[i]], copies[i * width..(i + 1) * width].iter().copied())
        })
    }

    /// The loci, once all rows were given. The builder is empty afterwards.
    #[napi(catch_unwind)]
    pub fn finish(&mut self) -> napi::Result<Loci> {
        self.0.take().ok_or_else(finished).and_then(x_vcf::RowsBuilder::finish).map(Loci::wrap).map_err(to_napi)
    }
}

impl LociRows {
    fn each(
        &mut self,
        positions: &[i32],
        ids: &[String],
        a1: &[String],
        a2: &[String],
        mut push: impl FnMut(&mut x_vcf::RowsBuilder, usize, u32) -> x_simd::Result<()>,
    ) -> napi::Result<()> {
        let builder = self.0.as_mut().ok_or_else(finished).map_err(to_napi)?;
        let n = positions.len();
        if [ids.len(), a1.len(), a2.len()] != [n; 3] {
            return Err(to_napi(Error::new("GENOTYPE_SHAPE", "the variants' columns differ in length")));
        }
        for (i, &p) in positions.iter().enumerate() {
            let p = u32::try_from(p).map_err(|_| to_napi(Error::new("POS_RANGE", format!("row {i}: position {p}"))))?;
            push(builder, i, p).map_err(to_napi)?;
        }
        Ok(())
    }
}

fn finished() -> Error {
    Error::new("LOCI_RELEASED", "these rows were finished by an earlier call")
}

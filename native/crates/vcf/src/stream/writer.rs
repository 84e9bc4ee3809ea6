//! BGZF writing. Blocks end where the caller's bytes fill them, so the same bytes in give the same file.

use std::io::Write;

use flate2::{Compress, Compression, Crc, FlushCompress, Status};
use x_simd::{Error, Result};

use super::{EOF_BLOCK, io};

/// What bgzip puts in a block: leaves room for data that does not compress.
const BLOCK: usize = 0xff00;

pub struct BgzfWriter<W> {
    inner: W,
    pending: Vec<u8>,
    packed: Vec<u8>,
    compress: Compress,
    written: u64,
}

impl<W: Write> BgzfWriter<W> {
    pub fn new(inner: W) -> Self {
        let compress = Compress::new(Compression::new(6), false);
        Self { inner, pending: Vec::with_capacity(BLOCK), packed: Vec::new(), compress, written: 0 }
    }

    /// Virtual offset of the next byte written.
    pub fn offset(&self) -> u64 {
        self.written << 16 | self.pending.len() as u64
    }

    pub fn write(&mut self, mut bytes: &[u8]) -> Result<()> {
        while !bytes.is_empty() {
            let n = bytes.len().min(BLOCK - self.pending.len());
            self.pending.extend_from_slice(&bytes[..n]);
            bytes = &bytes[n..];
            if self.pending.len() == BLOCK {
                self.flush()?;
            }
        }
        Ok(())
    }

    /// What is pending and the end block.
    pub fn end(&mut self) -> Result<()> {
        self.flush()?;
        self.inner.write_all(&EOF_BLOCK).map_err(|e| io(&e))
    }

    pub fn finish(mut self) -> Result<W> {
        self.end()?;
        Ok(self.inner)
    }

    pub fn inner(&self) -> &W {
        &self.inner
    }

    pub fn inner_mut(&mut self) -> &mut W {
        &mut self.inner
    }

    fn flush(&mut self) -> Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        self.packed.resize(1 << 16, 0);
        self.compress.reset();
        let room = (1 << 16) - 26;
        let status = self.compress.compress(&self.pending, &mut self.packed[18..18 + room], FlushCompress::Finish);
        let mut length = self.compress.total_out() as usize;
        if !matches!(status, Ok(Status::StreamEnd)) {
            length = self.store()?;
        }
        let size = 18 + length + 8;
        self.packed[..16].copy_from_slice(&EOF_BLOCK[..16]);
        self.packed[16..18].copy_from_slice(&((size - 1) as u16).to_le_bytes());
        let mut crc = Crc::new();
        crc.update(&self.pending);
        self.packed[18 + length..22 + length].copy_from_slice(&crc.sum().to_le_bytes());
        self.packed[22 + length..size].copy_from_slice(&(self.pending.len() as u32).to_le_bytes());
        self.inner.write_all(&self.packed[..size]).map_err(|e| io(&e))?;
        self.written += size as u64;
        self.pending.clear();
        Ok(())
    }

    /// Data that does not compress, as one stored deflate block.
    fn store(&mut self) -> Result<usize> {
        let n = u16::try_from(self.pending.len()).map_err(|_| Error::new("IO", "a block is too large"))?;
        self.packed[18] = 1;
        self.packed[19..21].copy_from_slice(&n.to_le_bytes());
        self.packed[21..23].copy_from_slice(&(!n).to_le_bytes());
        self.packed[23..23 + self.pending.len()].copy_from_slice(&self.pending);
        Ok(5 + self.pending.len())
    }
}

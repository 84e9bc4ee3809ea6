//! BGZF reading: gzip members of at most 64 KiB whose header tells their length (SAM specification, section 4.1).

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use flate2::{Crc, Decompress, FlushDecompress, Status};
use x_simd::{Error, Result};

use super::{io, read_up_to};

/// The empty block that ends every complete file.
pub const EOF_BLOCK: [u8; 28] =
    [0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff, 6, 0, b'B', b'C', 2, 0, 0x1b, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0];

const MAX_BLOCK: usize = 1 << 16;

/// True for the first 18 bytes of a BGZF file.
pub fn is_header(head: &[u8]) -> bool {
    block_size(head).is_some()
}

/// Bytes of the whole block; `None` when this is no BGZF header. Only the layout every writer uses (BC first) counts.
fn block_size(head: &[u8]) -> Option<usize> {
    if head.len() < 18 || head[..4] != [0x1f, 0x8b, 8, 4] || head[12..16] != [b'B', b'C', 2, 0] {
        return None;
    }
    let size = usize::from(u16::from_le_bytes([head[16], head[17]])) + 1;
    let extra = usize::from(u16::from_le_bytes([head[10], head[11]]));
    (size >= 12 + extra + 8).then_some(size)
}

/// A complete file ends in the EOF block; one that does not was cut inside a block or exactly between two.
pub fn check_end(file: &mut File) -> Result<()> {
    let length = file.metadata().map_err(|e| io(&e))?.len();
    if length >= 28 {
        file.seek(SeekFrom::End(-28)).map_err(|e| io(&e))?;
        let mut tail = [0u8; 28];
        if read_up_to(file, &mut tail)? == 28 && tail == EOF_BLOCK {
            return Ok(());
        }
    }
    let mut at = 0u64;
    let mut head = [0u8; 18];
    while at < length {
        file.seek(SeekFrom::Start(at)).map_err(|e| io(&e))?;
        let got = read_up_to(file, &mut head)?;
        match block_size(&head[..got]) {
            Some(size) if at + size as u64 <= length => at += size as u64,
            Some(_) => return Err(truncated(at, length)),
            None if length - at < 18 => return Err(truncated(at, length)),
            None => return Err(no_block(at)),
        }
    }
    Err(Error::new(
        "BGZF_NO_EOF",
        format!("the file ends after {length} bytes without BGZF's end block: it was cut between two blocks; copy or write it again"),
    )
    .with("byte", length as f64))
}

fn truncated(at: u64, length: u64) -> Error {
    let message =
        format!("the file ends at byte {length}, inside the block that starts at byte {at}: it was cut; copy it again");
    Error::new("BGZF_TRUNCATED", message).with("byte", at as f64).with("length", length as f64)
}

fn no_block(at: u64) -> Error {
    Error::new("BGZF_BLOCK", format!("no BGZF block starts at byte {at}: the file is damaged")).with("byte", at as f64)
}

/// One block decompressed at a time.
pub struct Bgzf<R> {
    inner: R,
    raw: Vec<u8>,
    block: Vec<u8>,
    at: usize,
    /// Where the next block starts in the file.
    next: u64,
    inflate: Decompress,
}

impl<R: Read + Seek> Bgzf<R> {
    pub fn new(inner: R) -> Self {
        Self { inner, raw: Vec::new(), block: Vec::new(), at: 0, next: 0, inflate: Decompress::new(false) }
    }

    pub fn fill(&mut self) -> Result<&[u8]> {
        while self.at >= self.block.len() {
            if !self.read_block()? {
                return Ok(&[]);
            }
        }
        Ok(&self.block[self.at..])
    }

    pub fn consume(&mut self, n: usize) {
        self.at += n;
    }

    pub fn seek(&mut self, virtual_offset: u64) -> Result<()> {
        self.next = virtual_offset >> 16;
        self.inner.seek(SeekFrom::Start(self.next)).map_err(|e| io(&e))?;
        self.block.clear();
        self.at = 0;
        let within = (virtual_offset & 0xffff) as usize;
        self.read_block()?;
        if within > self.block.len() {
            return Err(no_block(self.next));
        }
        self.at = within;
        Ok(())
    }

    /// False at the end of the file.
    fn read_block(&mut self) -> Result<bool> {
        let start = self.next;
        self.block.clear();
        self.at = 0;
        self.raw.resize(18, 0);
        match read_up_to(&mut self.inner, &mut self.raw)? {
            0 => return Ok(false),
            18 => {}
            got => return Err(truncated(start, start + got as u64)),
        }
        let size = block_size(&self.raw).ok_or_else(|| no_block(start))?;
        self.raw.resize(size, 0);
        let got = read_up_to(&mut self.inner, &mut self.raw[18..])?;
        if got < size - 18 {
            return Err(truncated(start, start + 18 + got as u64));
        }
        self.next = start + size as u64;
        self.inflate_block(start)?;
        Ok(true)
    }

    fn inflate_block(&mut self, start: u64) -> Result<()> {
        let damaged = |what: &str| {
            Error::new("BGZF_DATA", format!("the block at byte {start} {what}: the file is damaged; copy it again"))
                .with("byte", start as f64)
        };
        let data_at = 12 + usize::from(u16::from_le_bytes([self.raw[10], self.raw[11]]));
        let end = self.raw.len() - 8;
        let word = |at: usize| u32::from_le_bytes(self.raw[at..at + 4].try_into().unwrap_or_default());
        let (crc, length) = (word(end), word(end + 4) as usize);
        if length > MAX_BLOCK {
            return Err(damaged("claims more than 65,536 bytes"));
        }
        self.block.resize(length, 0);
        self.inflate.reset(false);
        let status = self.inflate.decompress(&self.raw[data_at..end], &mut self.block, FlushDecompress::Finish);
        let whole = matches!(status, Ok(Status::StreamEnd)) && self.inflate.total_out() as usize == length;
        // An empty block's end is seen without output room.
        if !whole {
            return Err(damaged("does not decompress"));
        }
        let mut sum = Crc::new();
        sum.update(&self.block);
        if sum.sum() != crc {
            return Err(damaged("fails its checksum"));
        }
        Ok(())
    }
}

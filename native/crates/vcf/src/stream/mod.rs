//! Bytes of a file whatever it is wrapped in: BGZF (seekable), plain gzip (front to back only) or nothing.

mod bgzf;
mod writer;

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use x_simd::{Error, Result};

pub use bgzf::{Bgzf, EOF_BLOCK};
pub use writer::BgzfWriter;

/// The three ways a variant file is stored.
pub enum Stream {
    Bgzf(Box<Bgzf<BufReader<File>>>),
    Gzip(Box<BufReader<MultiGzDecoder<BufReader<File>>>>),
    Plain(BufReader<File>),
}

impl Stream {
    /// Looks at the first bytes and, for BGZF, at the end of the file: one that was cut says so before any work.
    pub fn open(path: &Path) -> Result<Self> {
        let mut file = File::open(path).map_err(|e| io(&e))?;
        if file.metadata().map_err(|e| io(&e))?.is_dir() {
            return Err(Error::new("NOT_A_FILE", "this is a folder, a file was expected"));
        }
        let mut head = [0u8; 18];
        let got = read_up_to(&mut file, &mut head)?;
        file.seek(SeekFrom::Start(0)).map_err(|e| io(&e))?;
        if got >= 2 && head[..2] == [0x1f, 0x8b] {
            if bgzf::is_header(&head[..got]) {
                bgzf::check_end(&mut file)?;
                file.seek(SeekFrom::Start(0)).map_err(|e| io(&e))?;
                return Ok(Self::Bgzf(Box::new(Bgzf::new(BufReader::with_capacity(1 << 17, file)))));
            }
            let decoder = MultiGzDecoder::new(BufReader::with_capacity(1 << 17, file));
            return Ok(Self::Gzip(Box::new(BufReader::with_capacity(1 << 16, decoder))));
        }
        Ok(Self::Plain(BufReader::with_capacity(1 << 17, file)))
    }

    /// What is there to read now; empty at the end of the file.
    pub fn fill(&mut self) -> Result<&[u8]> {
        match self {
            Self::Bgzf(b) => b.fill(),
            Self::Gzip(g) => g.fill_buf().map_err(|e| {
                Error::new(
                    "GZIP_DATA",
                    format!("the gzip data is damaged or ends too early ({e}); copy the file again"),
                )
            }),
            Self::Plain(p) => p.fill_buf().map_err(|e| io(&e)),
        }
    }

    pub fn consume(&mut self, n: usize) {
        match self {
            Self::Bgzf(b) => b.consume(n),
            Self::Gzip(g) => g.consume(n),
            Self::Plain(p) => p.consume(n),
        }
    }

    pub fn seek(&mut self, virtual_offset: u64) -> Result<()> {
        match self {
            Self::Bgzf(b) => b.seek(virtual_offset),
            _ => Err(Error::new("NOT_BGZF", "random access needs a file compressed by bgzip")),
        }
    }

    /// The next line without its end, into `line`, and whether it had one; `None` at the end of the file. Longer than `limit`: LINE_TOO_LONG.
    pub fn line(&mut self, line: &mut Vec<u8>, limit: usize) -> Result<Option<bool>> {
        line.clear();
        loop {
            let buffer = self.fill()?;
            if buffer.is_empty() {
                return Ok((!line.is_empty()).then_some(false));
            }
            let end = buffer.iter().position(|&b| b == b'\n');
            let part = &buffer[..end.unwrap_or(buffer.len())];
            if line.len() + part.len() > limit {
                return Err(Error::new(
                    "LINE_TOO_LONG",
                    format!("a line is longer than {limit} bytes; this is no VCF, or its line ends were lost"),
                ));
            }
            grow(line, part)?;
            let used = part.len() + usize::from(end.is_some());
            self.consume(used);
            if end.is_some() {
                if line.last() == Some(&b'\r') {
                    line.pop();
                }
                return Ok(Some(true));
            }
        }
    }

    /// Exactly `n` bytes appended to `out`; false (and fewer bytes) when the file ends first. Memory grows with what is
    /// really there, so a length field that lies costs nothing.
    pub fn take(&mut self, n: usize, out: &mut Vec<u8>) -> Result<bool> {
        let mut left = n;
        while left > 0 {
            let buffer = self.fill()?;
            if buffer.is_empty() {
                return Ok(false);
            }
            let part = &buffer[..buffer.len().min(left)];
            grow(out, part)?;
            let used = part.len();
            left -= used;
            self.consume(used);
        }
        Ok(true)
    }
}

fn grow(out: &mut Vec<u8>, part: &[u8]) -> Result<()> {
    out.try_reserve(part.len()).map_err(|_| Error::new("ALLOC", "not enough memory for one record"))?;
    out.extend_from_slice(part);
    Ok(())
}

/// `NotFound` and its like keep the names the TypeScript side gives them.
pub fn io(e: &std::io::Error) -> Error {
    use std::io::ErrorKind::{NotFound, PermissionDenied, StorageFull};
    let code = match e.kind() {
        NotFound => "ENOENT",
        PermissionDenied => "EACCES",
        StorageFull => "ENOSPC",
        _ => "IO",
    };
    Error::new(code, if code == "ENOENT" { "no such file".to_owned() } else { e.to_string() })
}

fn read_up_to(from: &mut impl Read, into: &mut [u8]) -> Result<usize> {
    let mut got = 0;
    while got < into.len() {
        match from.read(&mut into[got..]) {
            Ok(0) => break,
            Ok(n) => got += n,
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return Err(io(&e)),
        }
    }
    Ok(got)
}

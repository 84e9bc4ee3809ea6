//! Damaged files of every kind are refused or read, never a panic, and never more memory than the file is worth.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use x_vcf::eval::one_allele;
use x_vcf::loci::align;
use x_vcf::{LociWriter, Output, ReadOptions, Reader, Record, Wanted, WriteOptions, read_loci};

const HEAD: &str = "##fileformat=VCFv4.2\n##FILTER=<ID=q10,Description=\"low\">\n##contig=<ID=20,length=63025520>\n\
##INFO=<ID=AF,Number=A,Type=Float,Description=\"f\">\n##INFO=<ID=DB,Number=0,Type=Flag,Description=\"d\">\n\
##FORMAT=<ID=GT,Number=1,Type=String,Description=\"g\">\n##FORMAT=<ID=PL,Number=G,Type=Integer,Description=\"p\">\n\
##FORMAT=<ID=PP,Number=1,Type=Float,Description=\"p\">\n##FORMAT=<ID=CP,Number=2,Type=Float,Description=\"c\">\n";

fn text() -> String {
    let mut out = format!("{HEAD}#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ta\tb\tc\n");
    for i in 0..60u32 {
        let pos = 1000 + i / 2 * 700;
        let (alt, gt) =
            if i % 2 == 0 { ("C,<DEL>", "0/2::0.5\t1|0\t./1:::0.1,0.9") } else { ("AT", "0/0\t0/1:0,3,9\t.") };
        let info = if i % 3 == 0 { "AF=0.25;DB" } else { "." };
        out += &format!("20\t{pos}\tr{i}\tA\t{alt}\t{i}.5\tq10\t{info}\tGT:PL:PP:CP\t{gt}\n");
    }
    out
}

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("x-vcf-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn write(path: &Path, output: Output) -> (Vec<u8>, Option<Vec<u8>>) {
    let loci = Arc::new(read_loci(path, &ReadOptions::default(), &Default::default()).unwrap());
    let mut writer = LociWriter::new(loci, None, output, WriteOptions::default()).unwrap();
    let mut out = Vec::new();
    loop {
        let piece = writer.next_piece().unwrap();
        if piece.is_empty() {
            return (out, writer.index().unwrap().map(|i| i.0));
        }
        out.extend(piece);
    }
}

/// xorshift: the same damage every time.
struct Dice(u64);

impl Dice {
    fn next(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n.max(1) as u64) as usize
    }
}

fn damage(bytes: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut out = bytes.to_vec();
    for _ in 0..1 + dice.next(4) {
        let at = dice.next(out.len());
        match dice.next(5) {
            0 => out.truncate(at.max(1)),
            1 => out[at] = 255,
            2 => out[at] ^= 1 << dice.next(8),
            3 => {
                let end = (at + dice.next(16)).min(out.len());
                out.drain(at..end);
            }
            _ => out[at] = dice.next(256) as u8,
        }
        if out.is_empty() {
            out.push(0);
        }
    }
    out
}

fn read(path: &Path, region: bool) {
    let region = region.then(|| "20:5000-15000".to_owned());
    let options = ReadOptions { region, likelihoods: true, ..ReadOptions::default() };
    if let Ok(loci) = read_loci(path, &options, &Default::default()) {
        for output in [Output::Vcf, Output::Bcf] {
            let write = WriteOptions { join: true, keep_excluded: true, ..WriteOptions::default() };
            if let Ok(mut writer) = LociWriter::new(Arc::new(loci.clone()), None, output, write) {
                while writer.next_piece().is_ok_and(|p| !p.is_empty()) {}
            }
        }
    }
    let _ = one_allele(path, None, 2, &Default::default());
    if let Ok(mut reader) = Reader::open(path) {
        let fields = vec![("PP".to_owned(), 1), ("CP".to_owned(), 2)];
        reader.want(Wanted { likelihoods: true, fields });
        let mut record = Record::default();
        while reader.next(&mut record).unwrap_or(false) {
            let n = reader.header.samples.len();
            let whole = |(f, width): (&Vec<f32>, usize)| f.is_empty() || f.len() == width * n;
            assert!(record.fields.iter().zip([1, 2]).all(whole));
        }
    }
}

#[test]
fn damaged_files_never_panic() {
    let folder = Folder::new("fuzz");
    let source = folder.file("source.vcf", text().as_bytes());
    let (bcf, csi) = write(&source, Output::Bcf);
    let (gz, tbi) = write(&source, Output::VcfGz);
    let raw_bcf = inflate(&bcf);
    let mut dice = Dice(88172645463325252);
    for (name, bytes, index, rounds) in [
        ("a.vcf", text().into_bytes(), None, 800),
        ("b.raw.bcf", raw_bcf, None, 1500),
        ("c.bcf", bcf, csi, 400),
        ("d.vcf.gz", gz, tbi, 400),
    ] {
        for round in 0..rounds {
            let path = folder.file(name, &damage(&bytes, &mut dice));
            read(&path, false);
            if let Some(index) = &index {
                // A good file with a damaged index.
                folder.file(name, &bytes);
                let extension = if name.ends_with("gz") { "tbi" } else { "csi" };
                let damaged = if round % 2 == 0 { damage(index, &mut dice) } else { index.clone() };
                folder.file(&format!("{name}.{extension}"), &damaged);
                read(&path, true);
                std::fs::remove_file(folder.0.join(format!("{name}.{extension}"))).unwrap();
            }
        }
    }
}

/// The bytes inside the blocks of a complete BGZF file.
fn inflate(bytes: &[u8]) -> Vec<u8> {
    use std::io::Read;
    let mut out = Vec::new();
    flate2::read::MultiGzDecoder::new(bytes).read_to_end(&mut out).unwrap();
    out
}

#[test]
fn regions_by_index_and_by_scan_agree() {
    let folder = Folder::new("region");
    let source = folder.file("source.vcf", text().as_bytes());
    for (name, output, extension) in [("a.vcf.gz", Output::VcfGz, "tbi"), ("a.bcf", Output::Bcf, "csi")] {
        let (bytes, index) = write(&source, output);
        let path = folder.file(name, &bytes);
        for (from, to) in [(1, 999), (1000, 1000), (5000, 9000), (9001, 40_000), (21_300, 21_300)] {
            let options = ReadOptions { region: Some(format!("20:{from}-{to}")), ..ReadOptions::default() };
            let read = |p: &Path| read_loci(p, &options, &Default::default()).map(|l| (l.positions, l.calls));
            let scanned = read(&path).map_err(|e| e.code);
            let index_path = folder.file(&format!("{name}.{extension}"), index.as_ref().unwrap());
            assert_eq!(read(&path).map_err(|e| e.code), scanned, "{name} {from}-{to}");
            std::fs::remove_file(index_path).unwrap();
        }
    }
}

#[test]
fn a_panel_speaks_the_codes_of_the_target() {
    let folder = Folder::new("align");
    let file = |name: &str, rows: &[&str]| {
        let mut out = format!("{HEAD}#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ta\n");
        rows.iter().for_each(|r| {
            let f: Vec<&str> = r.split(' ').collect();
            out += &format!("20\t{}\t.\t{}\t{}\t.\t.\t.\tGT\t{}\n", f[0], f[1], f[2], f[3]);
        });
        read_loci(&folder.file(name, out.as_bytes()), &ReadOptions::default(), &Default::default()).unwrap()
    };
    let target = file("t.vcf", &["100 A C 0|1", "100 A T 1|0", "200 A G 0|1", "300 A C 1|1", "400 A C 0|1"]);
    let panel = file("p.vcf", &["100 AG A,TG 1|2", "200 A C 0|1", "300 G C 0|1", "350 A C 0|1", "400 AT CT 1|0"]);
    let met = align(&target, &panel);
    // At 100 the panel's deletion is unknown to the target, and its TG is A>T, code 2; at 200 nothing is shared.
    let places: Vec<(u32, u32, &[u8])> = met.pairs.iter().map(|p| (p.here, p.there, &p.code[..])).collect();
    assert_eq!(places, [(0, 0, &[0, 0, 2][..]), (3, 4, &[0, 1][..])]);
    assert_eq!((met.only_here, met.only_there, met.ref_mismatch), (2, 3, 1));
    assert_eq!(met.haplotypes(&panel), [0, 2, 1, 0]);
}

#[test]
fn rows_in_any_order_have_the_same_codes() {
    let folder = Folder::new("order");
    let rows = ["A\tC", "A\tT", "AG\tA", "A\t<DEL>", "A\t*,G"];
    let calls = ["0/1", "0/0", "1/0", "0/0", "0/0"];
    let mut seen: Vec<Vec<u8>> = Vec::new();
    let mut dice = Dice(99);
    for _ in 0..40 {
        let mut order: Vec<usize> = (0..rows.len()).collect();
        (1..order.len()).rev().for_each(|i| order.swap(i, dice.next(i + 1)));
        let mut out = format!("{HEAD}#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ta\n");
        for i in order {
            out += &format!("20\t500\t.\t{}\t.\t.\t.\tGT\t{}\n", rows[i], calls[i]);
        }
        let loci =
            read_loci(&folder.file("p.vcf", out.as_bytes()), &ReadOptions::default(), &Default::default()).unwrap();
        assert_eq!(loci.codes, [7]);
        seen.push(loci.calls);
    }
    // A, C, G, T against the longest REF AG are "CG" (2), "GG" (3), "TG" (4); the deletion "A" is shortest (1).
    assert!(seen.iter().all(|c| c == &[1, 2]), "{seen:?}");
}

//! Phases a plain-text VCF of one chromosome from stdin to stdout, to measure the engine alone:
//! `bcftools view in.vcf.gz | phase_vcf map.gmap seed threads [name=value …] > out.vcf`. Rows of one position become one
//! locus, their order is that of the codes. Only GT is read.

use std::io::{BufRead, BufWriter, Write};

use x_hmm::{Locus, MISSING, Options, Schedule, Study, Trio, inherit, phase};
use x_simd::Job;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let text = std::fs::read_to_string(&args[1]).expect("map");
    let map: Vec<(f64, f64)> = text
        .lines()
        .skip(1)
        .map(|line| {
            let f: Vec<f64> = line.split_whitespace().map(|x| x.parse().unwrap_or(f64::NAN)).collect();
            (f[0], f[2])
        })
        .collect();
    let mut options = Options {
        seed: args[2].parse().expect("seed"),
        threads: args[3].parse().expect("threads"),
        ..Options::default()
    };
    let mut pedigree: Option<String> = None;
    let (mut split, mut haploid, mut quiet) = (false, false, false);
    for arg in &args[4..] {
        let (name, value) = arg.split_once('=').expect("name=value");
        let number = || value.parse::<f64>().expect("number");
        match name {
            "schedule" => options.schedule = Schedule::parse(value).unwrap(),
            "depth" => options.pbwt_depth = Some(number() as usize),
            "modulo" => options.pbwt_modulo = Some(number()),
            "window" => options.hmm_window = number(),
            "donors" => options.hmm_donors = number() as usize,
            "chunk" => options.pbwt_window = number(),
            "ne" => options.hmm_ne = number(),
            "prune" => options.mcmc_prune = number(),
            "split" => split = number() > 0.0,
            "haploid" => haploid = number() > 0.0,
            "pedigree" => pedigree = Some(value.to_string()),
            "quiet" => quiet = number() > 0.0,
            _ => panic!("unknown {name}"),
        }
    }
    let (mut header, mut rows, mut study) = (Vec::new(), Vec::new(), Study::default());
    // Of each row: its locus, its code, and the first eight columns.
    for line in std::io::stdin().lock().lines().map_while(Result::ok) {
        if line.starts_with('#') {
            if line.starts_with("#CHROM") {
                study.samples = line.split('\t').count() - 9;
            }
            header.push(line);
            continue;
        }
        let fields: Vec<&str> = line.split('\t').collect();
        let position: u32 = fields[1].parse().expect("position");
        let same = !split && study.loci.last().is_some_and(|l| l.position == position);
        if !same {
            let cm = interpolate(&map, f64::from(position));
            // Rows kept apart need positions of their own.
            let position = study.loci.last().map_or(position, |l| position.max(l.position + 1));
            study.loci.push(Locus { position, cm, codes: 1 });
            study.calls.resize(study.calls.len() + 2 * study.samples, 0);
        }
        let locus = study.loci.last_mut().unwrap();
        let code = locus.codes;
        locus.codes += 1;
        let at = study.calls.len() - 2 * study.samples;
        for (field, pair) in fields[9..].iter().zip(study.calls[at..].chunks_exact_mut(2)) {
            let g = field.as_bytes();
            for (h, x) in [g[0], g[2]].into_iter().enumerate() {
                match x {
                    b'.' => pair[h] = MISSING,
                    // Alleles of split rows have no order: the second ALT goes where there is room.
                    b'1' if pair[h] == 0 => pair[h] = code,
                    b'1' if pair[h] != MISSING => pair[1 - h] = code,
                    _ => {}
                }
            }
        }
        rows.push((study.loci.len() - 1, code, fields[..8].join("\t")));
    }
    study.haploid = vec![haploid; study.samples];
    let names: Vec<&str> = header.last().map_or(Vec::new(), |line: &String| line.split('\t').skip(9).collect());
    if let Some(path) = pedigree {
        let text = std::fs::read_to_string(path).expect("pedigree");
        let index = |name: &str| names.iter().position(|n| *n == name);
        let trios: Vec<Trio> = text
            .lines()
            .filter_map(|line| {
                let f: Vec<&str> = line.split_whitespace().collect();
                Some(Trio { child: index(f[0])?, father: index(f[1]), mother: index(f[2]) })
            })
            .collect();
        let found = inherit(&mut study, &trios);
        eprintln!("oriented {} filled {} Mendel errors {}", found.oriented, found.filled, found.errors.len());
    }
    let progress = |i: &x_hmm::Iteration| {
        if !quiet {
            eprintln!("{:2} {:?} K {:.1} segments {:.1}", i.number, i.stage, i.mean_donors, i.mean_segments);
        }
    };
    let phased = phase(&study, &options, &progress, &Job::default()).unwrap();
    eprintln!("{:?}", phased.counters);
    let mut out = BufWriter::new(std::io::stdout().lock());
    header.iter().for_each(|line| writeln!(out, "{line}").unwrap());
    for (locus, code, start) in rows {
        write!(out, "{start}\tGT").unwrap();
        for pair in phased.codes[2 * study.samples * locus..][..2 * study.samples].chunks_exact(2) {
            write!(out, "\t{}|{}", u8::from(pair[0] == code), u8::from(pair[1] == code)).unwrap();
        }
        writeln!(out).unwrap();
    }
}

fn interpolate(map: &[(f64, f64)], position: f64) -> f64 {
    let i = map.partition_point(|m| m.0 < position);
    if i == 0 {
        return map[0].1;
    }
    if i == map.len() {
        return map[i - 1].1;
    }
    let ((x0, y0), (x1, y1)) = (map[i - 1], map[i]);
    y0 + (y1 - y0) * (position - x0) / (x1 - x0)
}

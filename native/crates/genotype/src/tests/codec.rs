use x_simd::Job;

use super::{Random, code, dosage, levels, packed, sizes};
use crate::*;

#[test]
fn decode_matches_codes_on_every_level() {
    let job = Job::default();
    for n in sizes() {
        let rows = 5;
        let data = packed(n, rows, 5, n as u64);
        for level in levels() {
            let (mut a, mut b, mut c) = (vec![9i8; n * rows], vec![9f32; n * rows], vec![9f64; n * rows]);
            decode_i8_at(level, &data, n, rows, &mut a, 1, &job).unwrap();
            decode_f32_at(level, &data, n, rows, &mut b, 2, &job).unwrap();
            decode_f64_at(level, &data, n, rows, &mut c, 3, &job).unwrap();
            for k in 0..n * rows {
                let x = dosage(&data, n, k / n, k % n);
                assert_eq!(a[k], if x.is_nan() { MISSING_I8 } else { x as i8 });
                assert_eq!(b[k].to_bits(), if x.is_nan() { f32::NAN } else { x as f32 }.to_bits());
                assert_eq!(c[k].to_bits(), x.to_bits());
            }
        }
    }
}

#[test]
fn large_outputs_are_streamed_and_equal() {
    let job = Job::default();
    // Odd row lengths, so that rows start at every offset in a cache line; longer than one step of the stream.
    let (n, rows) = (4099, 2100);
    let data = packed(n, rows, 50, 3);
    let mut expected = vec![0i8; n * rows];
    decode_i8_at(x_simd::Level::Scalar, &data, n, rows, &mut expected, 1, &job).unwrap();
    for level in levels() {
        let mut a = vec![9i8; n * rows + 1];
        decode_i8_at(level, &data, n, rows, &mut a[1..], 2, &job).unwrap();
        assert!(a[1..] == expected);
        let part = 300;
        let mut b = vec![9f64; n * part];
        decode_f64_at(level, &data[..row_bytes(n) * part], n, part, &mut b, 2, &job).unwrap();
        assert!(b.iter().zip(&expected).all(|(b, &a)| if a == MISSING_I8 { b.is_nan() } else { *b == f64::from(a) }));
    }
}

#[test]
fn counts_match_with_and_without_a_mask() {
    let job = Job::default();
    for n in sizes().chain([5000]) {
        let rows = 4;
        let data = packed(n, rows, 6, n as u64);
        let mut random = Random(n as u64);
        let mask: Vec<u8> = (0..n.div_ceil(8)).map(|_| random.next() as u8).collect();
        for mask in [None, Some(&mask[..])] {
            let expected: Vec<[u32; 4]> = (0..rows)
                .map(|s| {
                    let mut to = [0; 4];
                    for i in (0..n).filter(|i| mask.is_none_or(|m| m[i / 8] >> (i % 8) & 1 == 1)) {
                        to[[0, 3, 1, 2][usize::from(code(&data, n, s, i))]] += 1;
                    }
                    to
                })
                .collect();
            for level in levels() {
                assert_eq!(count_at(level, &data, n, rows, mask, 2, &job).unwrap(), expected);
            }
        }
    }
}

#[test]
fn subset_keeps_any_order() {
    let job = Job::default();
    for n in sizes().chain([1000]) {
        let rows = 3;
        let data = packed(n, rows, 4, n as u64);
        let mut random = Random(n as u64);
        let some: Vec<u32> = (0..n as u32).filter(|_| random.below(3) > 0).collect();
        let all: Vec<u32> = (0..n as u32).collect();
        let any: Vec<u32> = (0..n).map(|_| random.below(n as u64) as u32).collect();
        for keep in [&some, &all, &any, &Vec::new()] {
            for level in levels() {
                let out = subset_at(level, &data, n, rows, keep, 2, &job).unwrap();
                let bytes = row_bytes(keep.len());
                assert_eq!(out.len(), bytes * rows);
                for s in 0..rows {
                    for i in 0..bytes * 4 {
                        let expected = keep.get(i).map_or(0, |&k| code(&data, n, s, k as usize));
                        assert_eq!(out[s * bytes + i / 4] >> (2 * (i % 4)) & 3, expected);
                    }
                }
            }
        }
    }
}

#[test]
fn transpose_turns_people_rows_into_snp_rows() {
    let job = Job::default();
    for people in sizes() {
        let snps = 90 - people % 13;
        let data = packed(snps, people, 4, people as u64);
        for range in [0..snps, 3..snps, 5..6, 4..77, 9..9, 1..3] {
            let out = transpose(&data, people, snps, range.clone(), 2, &job).unwrap();
            let bytes = row_bytes(people);
            assert_eq!(out.len(), bytes * range.len());
            for (row, s) in range.enumerate() {
                for i in 0..bytes * 4 {
                    let expected = if i < people { code(&data, snps, i, s) } else { 0 };
                    assert_eq!(out[row * bytes + i / 4] >> (2 * (i % 4)) & 3, expected, "person {i}, snp {s}");
                }
            }
        }
    }
}

#[test]
fn wrong_shapes_and_cancelled_jobs_are_errors() {
    let job = Job::default();
    let data = packed(10, 3, 0, 1);
    let code = |r: x_simd::Result<()>| r.unwrap_err().code;
    assert_eq!(code(decode_i8(&data[1..], 10, 3, &mut [0; 30], 1, &job)), "SHAPE");
    assert_eq!(code(decode_i8(&data, 10, 3, &mut [0; 29], 1, &job)), "SHAPE");
    assert_eq!(code(count(&data, 10, 3, Some(&[0]), 1, &job).map(|_| ())), "SHAPE");
    assert_eq!(code(subset(&data, 10, 3, &[10], 1, &job).map(|_| ())), "SHAPE");
    assert_eq!(code(transpose(&data, 3, 10, 2..11, 1, &job).map(|_| ())), "SHAPE");
    assert_eq!(
        code(snp_gram(&data, 11, 3, 1, &job).map(|_| ()).and(snp_gram(&data, 9, 2, 1, &job).map(|_| ()))),
        "SHAPE"
    );
    let mut gram = PeopleGram::new(10).unwrap();
    assert_eq!(code(gram.add(&data, &[3], &[0.0], 1, &job)), "SHAPE");
    assert_eq!(code(gram.add(&data, &[0], &[], 1, &job)), "SHAPE");
    assert_eq!(code(gram.add(&data, &[0], &[f64::NAN], 1, &job)), "MEAN");
    gram.add(&data, &[0], &[1.0], 1, &job).unwrap();
    job.cancel();
    assert_eq!(code(decode_i8(&data, 10, 3, &mut [0; 30], 1, &job)), "CANCELLED");
    assert_eq!(code(gram.finish(1, 1, &job).map(|_| ())), "CANCELLED");
}

#[test]
fn empty_inputs_give_empty_outputs() {
    let job = Job::default();
    decode_f64(&[], 0, 7, &mut [], 1, &job).unwrap();
    assert_eq!(count(&[], 0, 2, None, 1, &job).unwrap(), [[0; 4]; 2]);
    assert!(count(&[], 5, 0, None, 1, &job).unwrap().is_empty());
    assert!(transpose(&[], 0, 5, 0..5, 1, &job).unwrap().is_empty());
    assert_eq!(PeopleGram::new(0).unwrap().finish(1, 1, &job).unwrap().n(), 0);
    assert_eq!(snp_gram(&[], 5, 0, 1, &job).unwrap().n(), 0);
    assert_eq!(snp_gram(&[], 0, 3, 1, &job).unwrap().data(), [0.0; 9]);
}

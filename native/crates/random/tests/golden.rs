//! The same vectors as `packages/core/test/random.test.ts`.

use std::fs;
use std::path::Path;

use x_random::{Random, philox4x32, random_u32};

/// The rows of one key of the file: texts of words, one a line as `philox.py` writes them.
fn rows(key: &str) -> Vec<Vec<String>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../fixtures/random/philox.json");
    let text = fs::read_to_string(path).expect("fixtures/random/philox.json");
    let start = text.find(&format!("\"{key}\"")).expect("key");
    let list = &text[start..][text[start..].find('[').expect("[")..];
    let list = &list[..list.find(']').expect("]")];
    list.split('"').skip(1).step_by(2).map(|row| row.split(' ').map(str::to_owned).collect()).collect()
}

fn number(text: &str) -> u64 {
    text.parse().expect("a whole number")
}

fn random(row: &[String]) -> Random {
    Random::new(number(&row[0]), number(&row[1]))
}

#[test]
fn known_answers_of_philox4x32_10() {
    let known = rows("known");
    assert_eq!(known.len(), 3);
    for row in known {
        let w: Vec<u32> = row.iter().map(|x| u32::from_str_radix(x, 16).expect("hexadecimal")).collect();
        assert_eq!(philox4x32([w[0], w[1], w[2], w[3]], [w[4], w[5]]), w[6..]);
    }
}

#[test]
fn single_words() {
    for row in rows("u32") {
        let w: Vec<u64> = row.iter().map(|x| number(x)).collect();
        assert_eq!(u64::from(random_u32(w[0], w[1], w[2])), w[3]);
        assert_eq!(u64::from(Random::at(w[0], w[1], w[2]).u32()), w[3]);
    }
}

#[test]
fn uniform_and_normal_bit_for_bit() {
    for row in rows("uniform") {
        let mut r = random(&row);
        let found: Vec<String> = row[2..].iter().map(|_| format!("{:016x}", r.uniform().to_bits())).collect();
        assert_eq!(found, row[2..]);
    }
    for row in rows("normal") {
        let mut r = random(&row);
        let found: Vec<String> = row[2..].iter().map(|_| format!("{:016x}", r.normal().to_bits())).collect();
        assert_eq!(found, row[2..]);
    }
}

#[test]
fn ints_and_shuffles() {
    for row in rows("int") {
        let mut r = random(&row);
        let n = number(&row[2]);
        for value in &row[3..] {
            assert_eq!(r.int(n), number(value));
        }
    }
    for row in rows("shuffle") {
        let mut items: Vec<u64> = (0..row.len() as u64 - 2).collect();
        random(&row).shuffle(&mut items);
        let expected: Vec<u64> = row[2..].iter().map(|x| number(x)).collect();
        assert_eq!(items, expected);
    }
}

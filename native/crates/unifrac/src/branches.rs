//! The part of a tree that a table uses, as branches in postorder.

use x_simd::{Error, Result};

use crate::newick::Tree;

/// A branch for every used node but the root; chains of nodes with one used child are one branch.
#[derive(Clone)]
pub struct Branches {
    pub length: Vec<f64>,
    /// How many of the branches before end at the lower end of this one; 0 at a tip.
    pub kids: Vec<u32>,
    /// The table's feature at a tip.
    pub feature: Vec<u32>,
}

/// The branches above the tips `tips[feature]`, up to the root: the stem of the used part counts, the length written at
/// the root does not. `missing_length` stands for lengths that the text left out; without it they are refused
/// (`TREE_LENGTH`).
pub fn prune(tree: &Tree, tips: &[u32], missing_length: Option<f64>) -> Result<Branches> {
    let nodes = tree.nodes();
    let mut feature = vec![u32::MAX; nodes];
    for (f, &tip) in tips.iter().enumerate() {
        feature[tip as usize] = f as u32;
    }
    let mut used_kids = vec![0u32; nodes];
    let mut branches = Branches { length: vec![], kids: vec![], feature: vec![] };
    let (mut missing, mut first) = (0u64, 0);
    for node in 0..nodes - 1 {
        let (kids, tip) = (used_kids[node], feature[node] != u32::MAX);
        if kids == 0 && !tip {
            continue;
        }
        used_kids[tree.parent[node] as usize] += 1;
        let mut length = tree.length[node];
        if length.is_nan() {
            if missing == 0 {
                first = node;
            }
            missing += 1;
            length = missing_length.unwrap_or(0.0);
        }
        if kids == 1 {
            *branches.length.last_mut().expect("the only child stands right before") += length;
        } else {
            branches.length.push(length);
            branches.kids.push(kids);
            branches.feature.push(feature[node]);
        }
    }
    if missing > 0 && missing_length.is_none() {
        let name = String::from_utf8_lossy(tree.name(first)).into_owned();
        let which = if name.is_empty() { "an inner node without a name".to_owned() } else { format!("{name:?}") };
        let message = format!(
            "{missing} of the branches above the table's features have no length, first that of {which}; say what they count as (missingLength) or give the tree lengths"
        );
        return Err(Error::new("TREE_LENGTH", message).with("missing", missing as f64));
    }
    Ok(branches)
}

impl Branches {
    /// One branch of length 1 a feature: a table without a tree.
    pub fn star(features: usize) -> Self {
        Self { length: vec![1.0; features], kids: vec![0; features], feature: (0..features as u32).collect() }
    }

    pub fn len(&self) -> usize {
        self.length.len()
    }

    pub fn is_empty(&self) -> bool {
        self.length.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::newick::parse_newick;

    fn branches(text: &str, names: &[&str], missing: Option<f64>) -> Result<Branches> {
        let tree = parse_newick(text.as_bytes(), false).unwrap();
        let tips: Vec<u32> = (tree.find(names.iter().copied()).into_iter())
            .map(|f| if let crate::Found::Tip(n) = f { n } else { panic!("missing") })
            .collect();
        prune(&tree, &tips, missing)
    }

    #[test]
    fn unused_parts_go_chains_join_and_the_stem_counts() {
        let b = branches("(((a:1,b:2):4,c:8):16,(d:32,e:64):128):256;", &["b", "a"], None).unwrap();
        assert_eq!((b.length, b.kids, b.feature), (vec![1.0, 2.0, 20.0], vec![0, 0, 2], vec![1, 0, u32::MAX]));
    }

    #[test]
    fn missing_lengths_are_refused_unless_told_and_only_where_used() {
        let e = branches("((a,b:2):4,c:1);", &["a", "b"], None).err().unwrap();
        assert_eq!((e.code, e.details[0].1), ("TREE_LENGTH", 1.0));
        assert_eq!(branches("((a,b:2):4,c:1);", &["a", "b"], Some(0.5)).unwrap().length[0], 0.5);
        assert!(branches("((a,b:2):4,c:1);", &["b", "c"], None).is_ok());
    }
}

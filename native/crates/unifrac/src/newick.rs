//! Newick text to flat arrays, without recursion: nesting is as deep as the memory allows.

use std::collections::HashMap;

use x_simd::{Error, Result};

/// A rooted tree in postorder: children stand before their parent, the root is last.
pub struct Tree {
    /// The root's is its own number.
    pub parent: Vec<u32>,
    /// NaN where the text gives none.
    pub length: Vec<f64>,
    tip: Vec<bool>,
    names: Vec<u8>,
    /// Where the name of a node ends in `names`; it begins where the one before ends.
    ends: Vec<usize>,
    tips: usize,
}

/// What became of a name that was looked up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Found {
    Tip(u32),
    Missing,
    /// Several tips have this name.
    Twice,
}

impl Tree {
    pub fn nodes(&self) -> usize {
        self.parent.len()
    }

    pub fn tips(&self) -> usize {
        self.tips
    }

    pub fn is_tip(&self, node: usize) -> bool {
        self.tip[node]
    }

    /// Empty where the text gives none.
    pub fn name(&self, node: usize) -> &[u8] {
        let start = if node == 0 { 0 } else { self.ends[node - 1] };
        &self.names[start..self.ends[node]]
    }

    /// The tips of these names.
    pub fn find<'a>(&self, names: impl Iterator<Item = &'a str>) -> Vec<Found> {
        let mut at: HashMap<&[u8], Found> = HashMap::with_capacity(self.tips);
        for node in (0..self.nodes()).filter(|&n| self.tip[n]) {
            at.entry(self.name(node)).and_modify(|f| *f = Found::Twice).or_insert(Found::Tip(node as u32));
        }
        names.map(|name| at.get(name.as_bytes()).copied().unwrap_or(Found::Missing)).collect()
    }

    fn push(&mut self, tip: bool, label: Label, first_child: Option<u32>, open: &mut Vec<u32>) -> Result<()> {
        let node = u32::try_from(self.nodes()).map_err(|_| Error::new("TREE_PARSE", "more than 2^32 nodes"))?;
        if let Some(first) = first_child {
            // The children are the nodes without a parent yet that came after the bracket opened.
            while open.last().is_some_and(|&child| child >= first) {
                self.parent[open.pop().expect("looked at") as usize] = node;
            }
        }
        self.parent.push(node);
        self.tip.push(tip);
        self.tips += usize::from(tip);
        self.length.push(label.length);
        self.names.extend_from_slice(&label.name);
        self.ends.push(self.names.len());
        open.push(node);
        Ok(())
    }
}

struct Label {
    name: Vec<u8>,
    length: f64,
    /// Was there anything at all?
    given: bool,
}

struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
    spaces: bool,
}

/// Reads one tree, which must end in `;`. Comments in square brackets are left out, quoted names are taken as they
/// stand (two quotes in them are one); `spaces` turns `_` of unquoted names into a space. `TREE_PARSE` and `TREE_LENGTH`
/// (negative or not finite) with the byte.
pub fn parse_newick(text: &[u8], spaces: bool) -> Result<Tree> {
    let mut tree = Tree { parent: vec![], length: vec![], tip: vec![], names: vec![], ends: vec![], tips: 0 };
    let mut scan = Scanner { text, at: 0, spaces };
    let mut brackets: Vec<u32> = Vec::new();
    let mut open: Vec<u32> = Vec::new();
    scan.skip()?;
    if scan.peek().is_none() {
        return Err(scan.error("there is no tree in it"));
    }
    loop {
        // A subtree begins here.
        while scan.peek() == Some(b'(') {
            brackets.push(tree.nodes() as u32);
            scan.at += 1;
            scan.skip()?;
        }
        let label = scan.label()?;
        if !label.given && brackets.is_empty() {
            return Err(scan.error("a tree was expected here"));
        }
        tree.push(true, label, None, &mut open)?;
        // And ends here, perhaps with those around it.
        loop {
            match scan.peek() {
                Some(b')') => {
                    let Some(first) = brackets.pop() else {
                        return Err(scan.error("a closing bracket has no opening one"));
                    };
                    scan.at += 1;
                    scan.skip()?;
                    let label = scan.label()?;
                    tree.push(false, label, Some(first), &mut open)?;
                }
                Some(b',') if !brackets.is_empty() => {
                    scan.at += 1;
                    scan.skip()?;
                    break;
                }
                Some(b';') if brackets.is_empty() => {
                    scan.at += 1;
                    scan.skip()?;
                    if scan.peek().is_some() {
                        return Err(scan.error("something follows the tree: a file must hold one"));
                    }
                    return Ok(tree);
                }
                None => {
                    return Err(scan.error("the text ends before the tree does: every ( needs its ) and the end a ;"));
                }
                Some(c) => {
                    let what = char::from(c);
                    let open = if brackets.is_empty() { "" } else { " while a bracket is open" };
                    return Err(scan.error(&format!("{what:?} stands where it cannot{open}")));
                }
            }
        }
    }
}

impl Scanner<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn error(&self, message: &str) -> Error {
        self.place("TREE_PARSE", message.to_owned(), self.at)
    }

    fn place(&self, code: &'static str, message: String, at: usize) -> Error {
        let line = 1 + self.text[..at.min(self.text.len())].iter().filter(|&&c| c == b'\n').count();
        Error::new(code, message).with("byte", at as f64).with("line", line as f64)
    }

    /// Over white space and comments.
    fn skip(&mut self) -> Result<()> {
        loop {
            match self.peek() {
                Some(b' ' | b'\t' | b'\r' | b'\n') => self.at += 1,
                Some(b'[') => match self.text[self.at..].iter().position(|&c| c == b']') {
                    Some(length) => self.at += length + 1,
                    None => return Err(self.error("a comment that begins here with [ does not end")),
                },
                _ => return Ok(()),
            }
        }
    }

    /// Name and branch length, both optional, and what white space follows.
    fn label(&mut self) -> Result<Label> {
        let (name, mut given) = self.name()?;
        self.skip()?;
        let mut length = f64::NAN;
        if self.peek() == Some(b':') {
            given = true;
            self.at += 1;
            self.skip()?;
            length = self.length()?;
            self.skip()?;
        }
        Ok(Label { name, length, given })
    }

    fn name(&mut self) -> Result<(Vec<u8>, bool)> {
        let start = self.at;
        if self.peek() == Some(b'\'') {
            let mut name = Vec::new();
            self.at += 1;
            loop {
                match (self.peek(), self.text.get(self.at + 1)) {
                    (Some(b'\''), Some(b'\'')) => {
                        name.push(b'\'');
                        self.at += 2;
                    }
                    (Some(b'\''), _) => {
                        self.at += 1;
                        return Ok((name, true));
                    }
                    (Some(c), _) => {
                        name.push(c);
                        self.at += 1;
                    }
                    (None, _) => {
                        return Err(self.place("TREE_PARSE", "a quoted name does not end".to_owned(), start));
                    }
                }
            }
        }
        while self.peek().is_some_and(|c| !b"()[],:;'\t\r\n".contains(&c)) {
            self.at += 1;
        }
        let name = self.text[start..self.at].trim_ascii_end();
        let turned = |&c: &u8| if c == b'_' && self.spaces { b' ' } else { c };
        Ok((name.iter().map(turned).collect(), !name.is_empty()))
    }

    fn length(&mut self) -> Result<f64> {
        let start = self.at;
        while self.peek().is_some_and(|c| c.is_ascii_alphanumeric() || b"+-.".contains(&c)) {
            self.at += 1;
        }
        let text = String::from_utf8_lossy(&self.text[start..self.at]).into_owned();
        match text.parse::<f64>() {
            Ok(length) if length.is_finite() && length >= 0.0 => Ok(length),
            Ok(length) if length < 0.0 => {
                let message = format!("branch length {text} is negative; UniFrac needs lengths of at least 0");
                Err(self.place("TREE_LENGTH", message, start))
            }
            Ok(_) => Err(self.place("TREE_LENGTH", format!("branch length {text} is not finite"), start)),
            Err(_) => Err(self.place("TREE_PARSE", format!("{text:?} is no branch length"), start)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Tree {
        parse_newick(text.as_bytes(), false).unwrap()
    }

    fn names(tree: &Tree) -> Vec<String> {
        (0..tree.nodes()).map(|n| String::from_utf8(tree.name(n).to_vec()).unwrap()).collect()
    }

    #[test]
    fn postorder_parents_lengths_and_names() {
        let tree = read("((a:1,b:2.5e-1)ab:3, 'it''s _x':4 [a comment])root:7;\n");
        assert_eq!(names(&tree), ["a", "b", "ab", "it's _x", "root"]);
        assert_eq!(tree.parent, [2, 2, 4, 4, 4]);
        assert_eq!(tree.length, [1.0, 0.25, 3.0, 4.0, 7.0]);
        assert_eq!((tree.tips(), tree.is_tip(2), tree.is_tip(3)), (3, false, true));
    }

    #[test]
    fn underscores_lone_nodes_polytomies_and_missing_lengths() {
        let tree = parse_newick(b"(a_b,c,(d));", true).unwrap();
        assert_eq!(names(&tree), ["a b", "c", "d", "", ""]);
        assert_eq!(tree.parent, [4, 4, 3, 4, 4]);
        assert!(tree.length.iter().all(|l| l.is_nan()));
        assert_eq!(read("lonely;").tips(), 1);
        assert_eq!(read("(,(,));").tips(), 3);
    }

    #[test]
    fn finds_tips_only_and_tells_duplicates() {
        let tree = read("((a,b)c,a);");
        let found = tree.find(["b", "c", "a", "x"].into_iter());
        assert_eq!(found, [Found::Tip(1), Found::Missing, Found::Twice, Found::Missing]);
    }

    #[test]
    fn a_hundred_thousand_brackets_deep() {
        let n = 100_000;
        let text = format!("{}a:1{};", "(".repeat(n), ",b:1):1".repeat(n));
        let tree = read(&text);
        assert_eq!((tree.tips(), tree.nodes()), (n + 1, 2 * n + 1));
    }

    #[test]
    fn refuses_with_code_and_byte() {
        for (text, code, byte) in [
            ("", "TREE_PARSE", 0),
            ("(a,b)", "TREE_PARSE", 5),
            ("((a,b);", "TREE_PARSE", 6),
            ("(a,b));", "TREE_PARSE", 5),
            ("(a,b);(c,d);", "TREE_PARSE", 6),
            ("(a:1,b:x);", "TREE_PARSE", 7),
            ("(a:-1,b:1);", "TREE_LENGTH", 3),
            ("(a:1,b:nan);", "TREE_LENGTH", 7),
            ("(a:1,b:inf);", "TREE_LENGTH", 7),
            ("(a:1,'b:1);", "TREE_PARSE", 5),
            ("(a:1[,b:1);", "TREE_PARSE", 4),
            ("(a b'c',d);", "TREE_PARSE", 4),
        ] {
            let e = parse_newick(text.as_bytes(), false).err().unwrap_or_else(|| panic!("{text} was accepted"));
            assert_eq!((e.code, e.details[0].1), (code, f64::from(byte)), "{text}");
        }
    }
}

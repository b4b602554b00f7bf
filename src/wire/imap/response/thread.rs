//! THREAD responses (RFC 5256 §4).

use super::Writer;
use crate::domain::threading::Forest;

impl Writer {
    /// ```abnf
    /// thread-data    = "THREAD" [SP 1*thread-list]
    /// thread-list    = "(" (thread-members / thread-nested) ")"
    /// thread-members = nz-number *(SP nz-number) [SP thread-nested]
    /// thread-nested  = 2*thread-list
    /// ```
    pub fn thread(&mut self, forest: &Forest) {
        self.put("* THREAD");
        if !forest.roots.is_empty() {
            self.put(" ");
        }
        // What is still to be written, the next last: threads are as deep as somebody made them.
        let mut rest: Vec<Step> = forest.roots.iter().rev().map(|&root| Step::List(root)).collect();
        while let Some(step) = rest.pop() {
            match step {
                Step::Close => self.put(")"),
                Step::List(at) => {
                    self.put("(");
                    rest.push(Step::Close);
                    rest.push(Step::Member(at));
                }
                Step::Member(at) => {
                    let Some(node) = forest.nodes.get(at) else { continue };
                    if let Some(number) = node.number {
                        self.number(number);
                        self.put(if node.children.is_empty() { "" } else { " " });
                    }
                    match node.children.as_slice() {
                        [one] => rest.push(Step::Member(*one)),
                        children => rest.extend(children.iter().rev().map(|&at| Step::List(at))),
                    }
                }
            }
        }
        self.end();
    }
}

enum Step {
    List(usize),
    Member(usize),
    Close,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::threading::Node;
    use crate::wire::imap::response::tests::written;

    fn node(number: Option<u32>, children: &[usize]) -> Node {
        Node { number, children: children.to_vec() }
    }

    #[test]
    fn the_examples_of_rfc_5256_section_4() {
        assert_eq!(written(|w| w.thread(&Forest::default())), "* THREAD\r\n");
        let nodes = vec![
            node(Some(2), &[]),
            node(Some(3), &[2]),
            node(Some(6), &[3, 5]),
            node(Some(4), &[4]),
            node(Some(23), &[]),
            node(Some(44), &[6]),
            node(Some(7), &[7]),
            node(Some(96), &[]),
        ];
        let forest = Forest { nodes, roots: vec![0, 1] };
        assert_eq!(written(|w| w.thread(&forest)), "* THREAD (2)(3 6 (4 23)(44 7 96))\r\n");
        let nodes = vec![node(None, &[1, 2]), node(Some(3), &[]), node(Some(5), &[])];
        let forest = Forest { nodes, roots: vec![0] };
        assert_eq!(written(|w| w.thread(&forest)), "* THREAD ((3)(5))\r\n");
    }

    #[test]
    fn any_depth_is_written() {
        let nodes = (1..=100_000).map(|n| node(Some(n), &[n as usize])).collect();
        let forest = Forest { nodes, roots: vec![0] };
        assert!(written(|w| w.thread(&forest)).ends_with(" 100000 )\r\n"));
    }
}

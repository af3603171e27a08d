//! Categories: a tree. Its rules: nothing is above itself, and nothing is too deep.

use std::collections::HashMap;

use uuid::Uuid;

use crate::id::CategoryId;
use crate::refusal::{ErrorCode, Refusal};

/// The most levels of the tree.
pub const MAX_DEPTH: usize = 8;
/// The most categories of a shop.
pub const MAX_CATEGORIES: usize = 5_000;
/// The most categories directly below one, and at the top.
pub const MAX_CHILDREN: usize = 250;
/// The most categories of a product.
pub const MAX_OF_PRODUCT: usize = 50;

/// Where a category stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Node {
    /// Which category.
    pub id: CategoryId,
    /// The one above it; the top has none.
    pub parent: Option<CategoryId>,
    /// Its place among its siblings, from 0.
    pub rank: i64,
}

/// All categories of a shop, as they stand.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    nodes: HashMap<CategoryId, Node>,
}

/// The path of a category: the ids of all above it and its own, each behind
/// the other, so that what begins with a category's path is that category or
/// stands below it.
pub fn path(above: &str, id: CategoryId) -> String {
    format!("{above}{}/", id.0.simple())
}

/// The ids along a path, the top first, the category itself last.
pub fn along(path: &str) -> Vec<CategoryId> {
    path.split('/').filter_map(|step| Uuid::parse_str(step).ok()).map(CategoryId).collect()
}

impl Tree {
    /// The tree of these categories.
    pub fn new(nodes: impl IntoIterator<Item = Node>) -> Self {
        Self { nodes: nodes.into_iter().map(|node| (node.id, node)).collect() }
    }

    /// How many categories there are.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// One category.
    pub fn node(&self, id: CategoryId) -> Option<&Node> {
        self.nodes.get(&id)
    }

    /// How many stand directly below `parent`, or at the top.
    pub fn children(&self, parent: Option<CategoryId>) -> usize {
        self.nodes.values().filter(|node| node.parent == parent).count()
    }

    /// The category itself and all above it, from below. Never longer than the tree
    /// may be deep, whatever the rows say.
    fn upwards(&self, id: CategoryId) -> impl Iterator<Item = CategoryId> + '_ {
        std::iter::successors(Some(id), |id| self.nodes.get(id).and_then(|node| node.parent)).take(MAX_DEPTH + 1)
    }

    /// On which level a category stands; the top is 1.
    pub fn depth(&self, id: CategoryId) -> usize {
        self.upwards(id).count()
    }

    /// How many levels the category and what is below it take.
    pub fn height(&self, id: CategoryId) -> usize {
        let own = self.depth(id);
        let below = self.nodes.keys().filter(|other| self.upwards(**other).any(|above| above == id));
        below.map(|other| self.depth(*other) + 1 - own).max().unwrap_or(1)
    }

    /// The path of `id`, or what the path of the top begins with.
    pub fn path_to(&self, id: Option<CategoryId>) -> String {
        let mut up: Vec<_> = id.into_iter().flat_map(|id| self.upwards(id)).collect();
        up.reverse();
        up.into_iter().fold(String::new(), |above, id| path(&above, id))
    }

    /// Whether a category may stand below `parent`; `id` is none while it is
    /// still to be made.
    pub fn check_parent(&self, id: Option<CategoryId>, parent: Option<CategoryId>) -> Result<(), Refusal> {
        let refuse = |code, message: String| Err(Refusal::new(code, message).at(["parentId"]));
        if let Some(parent) = parent {
            if self.node(parent).is_none() {
                return refuse(ErrorCode::NotFound, "There is no such category.".to_owned());
            }
            if id.is_some_and(|id| self.upwards(parent).any(|above| above == id)) {
                return refuse(ErrorCode::Invalid, "A category can't stand below itself.".to_owned());
            }
            let depth = self.depth(parent) + id.map_or(1, |id| self.height(id));
            if depth > MAX_DEPTH {
                let message = format!("Categories are at most {MAX_DEPTH} deep.");
                return Err(Refusal::new(ErrorCode::TooMany, message).limit(MAX_DEPTH as i64).at(["parentId"]));
            }
        }
        let stays = id.and_then(|id| self.node(id)).is_some_and(|node| node.parent == parent);
        if !stays && self.children(parent) >= MAX_CHILDREN {
            let message = format!("At most {MAX_CHILDREN} categories stand directly below one, and at the top.");
            return Err(Refusal::new(ErrorCode::TooMany, message).limit(MAX_CHILDREN as i64).at(["parentId"]));
        }
        Ok(())
    }

    /// The place that a category gets below `parent`: the wished one, but not
    /// behind the end, which is where it goes without a wish.
    pub fn place(&self, id: Option<CategoryId>, parent: Option<CategoryId>, wished: Option<i64>) -> i64 {
        let siblings = self.nodes.values().filter(|node| node.parent == parent && Some(node.id) != id).count() as i64;
        wished.unwrap_or(siblings).clamp(0, siblings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn id(number: u128) -> CategoryId {
        CategoryId(Uuid::from_u128(number))
    }

    fn node(number: u128, parent: Option<u128>, rank: i64) -> Node {
        Node { id: id(number), parent: parent.map(id), rank }
    }

    /// 1 over 2 over … over `levels`.
    fn chain(levels: u128) -> Tree {
        Tree::new((1..=levels).map(|number| node(number, number.checked_sub(1).filter(|above| *above > 0), 0)))
    }

    fn code(result: Result<(), Refusal>) -> Option<ErrorCode> {
        result.err().map(|refusal| refusal.code)
    }

    #[test]
    fn paths_hold_who_is_above() {
        let top = path("", id(1));
        let below = path(&top, id(2));
        assert!(below.starts_with(&top));
        assert_eq!(along(&below), [id(1), id(2)]);
        assert!(!path("", id(3)).starts_with(&top));
        let tree = chain(2);
        assert_eq!((tree.path_to(Some(id(2))), tree.path_to(None)), (below, String::new()));
    }

    #[test]
    fn nothing_stands_below_itself() {
        let tree = chain(4);
        assert_eq!(code(tree.check_parent(Some(id(2)), Some(id(2)))), Some(ErrorCode::Invalid));
        assert_eq!(code(tree.check_parent(Some(id(2)), Some(id(4)))), Some(ErrorCode::Invalid));
        assert_eq!(code(tree.check_parent(Some(id(2)), None)), None);
        assert_eq!(code(tree.check_parent(Some(id(4)), Some(id(1)))), None);
        assert_eq!(code(tree.check_parent(Some(id(4)), Some(id(9)))), Some(ErrorCode::NotFound));
    }

    #[test]
    fn the_tree_is_eight_deep_at_most() {
        let tree = chain(MAX_DEPTH as u128);
        assert_eq!((tree.depth(id(8)), tree.height(id(1)), tree.height(id(7))), (8, 8, 2));
        assert_eq!(code(tree.check_parent(None, Some(id(7)))), None);
        assert_eq!(code(tree.check_parent(None, Some(id(8)))), Some(ErrorCode::TooMany));
        let mut nodes: Vec<_> = tree.nodes.into_values().collect();
        nodes.push(node(20, None, 1));
        nodes.push(node(21, Some(20), 0));
        let tree = Tree::new(nodes);
        assert_eq!(code(tree.check_parent(Some(id(20)), Some(id(6)))), None, "two more levels fit below the sixth");
        assert_eq!(code(tree.check_parent(Some(id(20)), Some(id(7)))), Some(ErrorCode::TooMany));
    }

    #[test]
    fn siblings_have_a_bound() {
        let full = Tree::new((0..MAX_CHILDREN as u128).map(|number| node(number + 1, None, number as i64)));
        assert_eq!(code(full.check_parent(None, None)), Some(ErrorCode::TooMany));
        assert_eq!(code(full.check_parent(Some(id(1)), None)), None, "it stands there already");
        assert_eq!(code(full.check_parent(None, Some(id(1)))), None);
    }

    #[test]
    fn places_end_at_the_end() {
        let tree = Tree::new([node(1, None, 0), node(2, None, 1), node(3, None, 2)]);
        assert_eq!(tree.place(None, None, None), 3);
        assert_eq!(tree.place(Some(id(1)), None, Some(9)), 2, "the others are two");
        assert_eq!(tree.place(Some(id(1)), None, Some(-4)), 0);
        assert_eq!(tree.place(None, Some(id(1)), Some(5)), 0);
    }

    proptest! {
        #[test]
        fn allowed_moves_keep_a_tree(moves in prop::collection::vec((1..12_u128, 0..12_u128), 0..60)) {
            let mut nodes: Vec<_> = (1..12).map(|number| node(number, None, number as i64 - 1)).collect();
            for (moved, below) in moves {
                let parent = Some(below).filter(|below| *below > 0).map(id);
                if Tree::new(nodes.clone()).check_parent(Some(id(moved)), parent).is_ok() {
                    nodes[moved as usize - 1].parent = parent;
                }
            }
            let tree = Tree::new(nodes.clone());
            for node in &nodes {
                let up: Vec<_> = tree.upwards(node.id).collect();
                prop_assert!(up.len() <= MAX_DEPTH);
                prop_assert_eq!(tree.node(*up.last().unwrap()).unwrap().parent, None);
            }
        }
    }
}

//! What holds of every document that is judged: no panic, work in proportion
//! to its length, and the weight that unfolding it would have.

use domain::document::{
    BYTES_PER_TOKEN, Breach, Document, Field, Limits, Measure, NESTING, Node, Operation, Weight, scan, weigh,
    without_comments,
};
use proptest::prelude::*;

/// Limits that nothing passes.
const NONE: Limits = Limits {
    bytes: u64::MAX,
    tokens: u64::MAX,
    list_size: u64::MAX,
    depth: u64::MAX,
    aliases: u64::MAX,
    root_fields: u64::MAX,
    directives: u64::MAX,
    selections: u64::MAX,
    cost: u64::MAX,
};

fn over(measure: Measure, limit: u64, found: u64) -> Breach {
    Breach::Over { measure, limit, found }
}

fn leaf() -> Node {
    Node::Field(Field { own: 1, times: 1, ..Field::default() })
}

fn list(times: u64, nodes: Vec<Node>) -> Node {
    Node::Field(Field { own: 1, times, nodes, ..Field::default() })
}

fn query(nodes: Vec<Node>, fragments: Vec<Vec<Node>>) -> Document {
    let fragments = fragments.into_iter().enumerate().map(|(place, nodes)| (format!("F{place}"), nodes)).collect();
    Document { fragments, operations: vec![Operation { directives: 0, nodes }], chosen: 0 }
}

#[test]
fn tokens_are_what_the_grammar_says() {
    let tokens = |text: &str| scan(text, &Limits::default()).map(|found| (found.tokens, found.nesting));
    assert_eq!(tokens(""), Ok((0, 0)));
    assert_eq!(tokens("\u{feff} ,\t\r\n# a comment { ( [\n"), Ok((1, 0)));
    assert_eq!(tokens("query Q($a: [Int!] = [1, -2.5e+3]) { a: b(c: $a) @d ...F }"), Ok((31, 2)));
    assert_eq!(tokens(r#"{ a(b: "x\"{{{", c: """ y \""" {{{ """) }"#), Ok((14, 2)));
    assert_eq!(tokens(&format!("{{ {} {} }}", "a".repeat(7), "a".repeat(80))), Ok((4 + 10, 1)));
    assert_eq!(tokens("\"\" \"\" é"), Ok((4, 0)));
    assert_eq!(tokens("}}}} {"), Ok((5, 1)), "whether brackets match is the parser's to say");
}

#[test]
fn what_no_parser_shall_see_is_refused_where_it_is_met() {
    let refused = |text: &str| scan(text, &Limits::default()).unwrap_err();
    let limits = Limits::default();
    for open in ["{a", "[", "(", "{a(b:[{c:"] {
        assert_eq!(refused(&open.repeat(100)), over(Measure::Nesting, NESTING, NESTING + 1), "{open}");
    }
    assert_eq!(refused(&"a ".repeat(5_000)), over(Measure::Tokens, limits.tokens, limits.tokens + 1));
    assert_eq!(refused(&"#\n".repeat(5_000)), over(Measure::Tokens, limits.tokens, limits.tokens + 1));
    let text = format!("{{ a(b: \"{}\") }}", "x".repeat(40_000));
    assert_eq!(refused(&text), over(Measure::Tokens, limits.tokens, 6 + 40_002 / BYTES_PER_TOKEN));
    assert_eq!(refused(&"#".repeat(70_000)), over(Measure::Bytes, limits.bytes, 70_000));
    assert_eq!(refused(&format!("{{ a(b: {}) }}", "9".repeat(10_000))), over(Measure::NumberLength, 64, 10_000));
    assert_eq!(refused(&format!("{{ {} }}", "a".repeat(300))), over(Measure::NameLength, 256, 300));
    for text in ["\0", "# \0", "\"\0", "\"\\\0\"", "\"\"\"\0\"\"\"", r#""\u0000""#, "{ a \0 }"] {
        assert_eq!(refused(text), Breach::Nul, "{text:?}");
    }
    assert!(scan(r#""\\u0000""#, &limits).is_ok(), "a backslash and five letters");
    for text in ["{ a(b: \"", "\"\n\"", "\"\\", "\"\"\" \"\" ", "\"\"\"", "\"\"\"\\\"\"\""] {
        assert!(matches!(refused(text), Breach::Endless(_)), "{text:?}");
    }
}

#[test]
fn a_chain_of_fragments_weighs_what_it_unfolds_to_after_linear_work() {
    for width in [2, 3, 10] {
        let chain = |length: usize| {
            let spread = |place: usize| vec![Node::Spread(0, place + 1); width];
            let mut fragments: Vec<_> = (0..length).map(spread).collect();
            fragments.push(vec![leaf()]);
            query(vec![Node::Spread(0, 0)], fragments)
        };
        let short = weigh(&chain(3), &NONE).unwrap();
        assert_eq!(short.weight.cost, (width as u64).pow(3));
        let long = weigh(&chain(500), &NONE).unwrap();
        assert_eq!((long.weight.cost, long.weight.selections), (u64::MAX, u64::MAX));
        assert!(long.steps <= 500 * (width as u64) * 5 + 2_000, "{}", long.steps);
        let refused = weigh(&chain(500), &Limits::default()).unwrap_err();
        assert_eq!(refused, over(Measure::Selections, 5_000, u64::MAX));
        assert_eq!(refused.code(), "DOCUMENT_TOO_COSTLY");
    }
    // One long chain unfolds to little and nests deep.
    let mut fragments: Vec<_> = (1..2_000).map(|next| vec![Node::Spread(0, next)]).collect();
    fragments.push(vec![leaf()]);
    let refused = weigh(&query(vec![Node::Spread(0, 0)], fragments), &Limits::default()).unwrap_err();
    assert_eq!(refused, over(Measure::Levels, 40, 2_001));
}

#[test]
fn a_fragment_that_spreads_itself_is_named() {
    let cycle = |fragments| weigh(&query(vec![leaf()], fragments), &NONE).unwrap_err();
    assert_eq!(cycle(vec![vec![Node::Spread(0, 0)]]), Breach::Cycle("F0".to_owned()));
    let around = vec![vec![Node::Spread(0, 1)], vec![list(1, vec![Node::Inline(0, vec![Node::Spread(0, 0)])])]];
    assert_eq!(cycle(around), Breach::Cycle("F0".to_owned()));
    // Spread twice is not spread by itself.
    let twice = query(vec![Node::Spread(0, 0), Node::Spread(0, 0)], vec![vec![leaf()]]);
    assert_eq!(weigh(&twice, &NONE).unwrap().weight.selections, 4);
    assert!(weigh(&query(vec![Node::Spread(0, 7)], vec![]), &NONE).is_ok(), "an unknown fragment is the parser's");
}

#[test]
fn lists_multiply_and_stop_at_the_largest_number() {
    let cost = |document: &Document| weigh(document, &NONE).unwrap().weight.cost;
    let page = |first, nodes| list(first, vec![list(1, nodes)]);
    assert_eq!(cost(&query(vec![page(20, vec![leaf(), leaf()])], vec![])), 1 + 20 * (1 + 2));
    let nested = query(vec![page(1_000, vec![page(1_000, vec![leaf()])])], vec![]);
    assert_eq!(cost(&nested), 1 + 1_000 * (1 + (1 + 1_000 * 2)));
    assert_eq!(weigh(&nested, &Limits::default()).unwrap_err(), over(Measure::Cost, 20_000, 2_002_001));
    let huge = page(u64::MAX, vec![page(u64::MAX, vec![leaf()])]);
    assert_eq!(cost(&query(vec![huge.clone(), huge], vec![])), u64::MAX);
    assert_eq!(cost(&query(vec![page(0, vec![leaf()])], vec![])), 1, "an empty page costs itself");
}

#[test]
fn one_operation_checks_one_secret() {
    let login = || Node::Field(Field { own: 1, times: 1, authenticates: true, ..Field::default() });
    let within = |nodes| Node::Field(Field { own: 1, times: 1, namespace: true, nodes, ..Field::default() });
    assert_eq!(weigh(&query(vec![login(), leaf()], vec![]), &NONE).unwrap().weight.roots, 2);
    for nodes in [vec![login(), login()], vec![within(vec![login()]), within(vec![login()])]] {
        let refused = weigh(&query(nodes, vec![]), &NONE).unwrap_err();
        assert_eq!(refused, over(Measure::Authentications, 1, 2));
    }
    let hidden = query(vec![login(), Node::Spread(0, 0)], vec![vec![login()]]);
    assert_eq!(weigh(&hidden, &NONE).unwrap_err(), over(Measure::Authentications, 1, 2));
    assert_eq!(weigh(&query(vec![within(vec![leaf(), leaf(), leaf()])], vec![]), &NONE).unwrap().weight.roots, 3);
}

/// What a document weighs when its fragments are put in one by one; nothing
/// when that takes too long or never ends.
fn unfolded(document: &Document, nodes: &[Node], way: &mut Vec<usize>, budget: &mut u32) -> Option<Weight> {
    let mut sum = Weight::default();
    for node in nodes {
        *budget = budget.checked_sub(1)?;
        let weight = match node {
            Node::Field(field) => {
                let inner = unfolded(document, &field.nodes, way, budget)?;
                Weight {
                    selections: inner.selections + 1,
                    depth: inner.depth + 1,
                    levels: inner.levels + 1,
                    aliases: inner.aliases + u64::from(field.aliased),
                    directives: inner.directives + field.directives,
                    roots: if field.namespace { inner.roots } else { 1 },
                    authentications: inner.authentications + u64::from(field.authenticates),
                    cost: inner.cost.saturating_mul(field.times).saturating_add(field.own),
                }
            }
            Node::Inline(directives, nodes) => fragment(unfolded(document, nodes, way, budget)?, *directives),
            Node::Spread(_, place) if way.contains(place) => return None,
            Node::Spread(directives, place) => {
                way.push(*place);
                let inner = unfolded(document, &document.fragments[*place].1, way, budget)?;
                way.pop();
                fragment(inner, *directives)
            }
        };
        sum = sum.and(weight);
    }
    Some(sum)
}

fn fragment(inner: Weight, directives: u64) -> Weight {
    let (selections, levels) = (inner.selections + 1, inner.levels + 1);
    Weight { selections, levels, directives: inner.directives + directives, ..inner }
}

fn nodes_in(nodes: &[Node]) -> u64 {
    let of = |node: &Node| match node {
        Node::Field(field) => nodes_in(&field.nodes),
        Node::Inline(_, nodes) => nodes_in(nodes),
        Node::Spread(..) => 0,
    };
    nodes.iter().map(|node| 1 + of(node)).sum()
}

const FRAGMENTS: usize = 6;

fn node() -> impl Strategy<Value = Node> {
    let field = |nodes: Vec<Node>, (own, times, aliased, directives, namespace): (u64, u64, bool, u64, bool)| {
        Node::Field(Field { own, times, aliased, directives, namespace, authenticates: false, nodes })
    };
    let figures = || (0..6_u64, prop_oneof![0..4_u64, 0..100_u64], any::<bool>(), 0..3_u64, any::<bool>());
    let plain = figures().prop_map(move |figures| field(Vec::new(), figures));
    let leaf =
        prop_oneof![plain, (0..2_u64, 0..FRAGMENTS).prop_map(|(directives, place)| Node::Spread(directives, place))];
    leaf.prop_recursive(4, 24, 4, move |inner| {
        let nodes = prop::collection::vec(inner, 0..4);
        prop_oneof![
            (nodes.clone(), figures()).prop_map(move |(nodes, figures)| field(nodes, figures)),
            (0..2_u64, nodes).prop_map(|(directives, nodes)| Node::Inline(directives, nodes)),
        ]
    })
}

fn document() -> impl Strategy<Value = Document> {
    let nodes = || prop::collection::vec(node(), 0..5);
    (nodes(), prop::collection::vec(nodes(), FRAGMENTS)).prop_map(|(nodes, fragments)| query(nodes, fragments))
}

/// Pieces of documents, so that chance meets what the pass looks for.
fn soup() -> impl Strategy<Value = String> {
    const PIECES: &[&str] = &[
        "{",
        "}",
        "[",
        "]",
        "(",
        ")",
        "\"",
        "\"\"\"",
        "\\",
        "\\\"",
        "\\u0000",
        "\\u00",
        "...",
        ".",
        "#",
        "\n",
        "\r",
        ",",
        " ",
        "\u{feff}",
        "\u{ef}",
        "a",
        "on",
        "query",
        "fragment F on T",
        "-",
        "1e99",
        "0x",
        "@a",
        "$b",
        "!",
        "é",
        "🏃",
        "\0",
        ":",
    ];
    prop::collection::vec(prop::sample::select(PIECES), 0..120).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_pass_takes_each_byte_once(text in prop_oneof![soup(), any::<String>()]) {
        match scan(&text, &NONE) {
            Ok(found) => {
                prop_assert_eq!(found.steps, text.len() as u64);
                prop_assert!(found.tokens <= found.steps && found.nesting <= found.tokens);
                prop_assert!(!text.contains('\0'));
            }
            Err(breach) => prop_assert!(!breach.to_string().is_empty()),
        }
    }

    #[test]
    fn a_document_weighs_what_unfolding_it_gives(document in document()) {
        let size = nodes_in(&document.operations[0].nodes)
            + document.fragments.iter().map(|(_, nodes)| 1 + nodes_in(nodes)).sum::<u64>();
        match weigh(&document, &NONE) {
            Ok(judged) => {
                prop_assert!(judged.steps <= 4 * size + 4, "{} steps for {} nodes", judged.steps, size);
                let mut budget = 200_000;
                if let Some(weight) = unfolded(&document, &document.operations[0].nodes, &mut Vec::new(), &mut budget) {
                    prop_assert_eq!(judged.weight, weight);
                } else {
                    prop_assert_eq!(budget, 0, "what has a cycle is refused");
                }
            }
            Err(Breach::Cycle(_)) => {
                // Somewhere a fragment reaches itself.
                let cyclic = (0..FRAGMENTS).any(|place| {
                    let mut budget = 200_000;
                    let way = &mut vec![place];
                    unfolded(&document, &document.fragments[place].1, way, &mut budget).is_none()
                });
                prop_assert!(cyclic);
            }
            Err(other) => prop_assert!(false, "{other}"),
        }
    }
}

#[test]
fn comments_are_taken_out_and_nothing_moves() {
    let bare = |text: &str| without_comments(text, &NONE).unwrap();
    assert_eq!(bare("{ a(b: \"#x\") c(d: \"\"\"\n# y \"\"\") }"), None);
    assert_eq!(bare("# é\n{ a # \" (\r\n b }#").as_deref(), Some("\n{ a \r\n b }"));
    assert_eq!(bare("{ a(b: \"\\\"#\") #\u{2028}\n}").as_deref(), Some("{ a(b: \"\\\"#\") \n}"));
}

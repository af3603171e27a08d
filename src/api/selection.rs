//! What a subscriber selects, told apart from what others select: those who
//! want the same are told the same text.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::sync::LazyLock;

use async_graphql::parser::types::{Directive, Field, Selection, SelectionSet};
use async_graphql::{Context, Name, Positioned, QueryEnv, Value, Variables};
use async_graphql_value::Value as Written;

/// Nobody outside can know which two selections would meet in the same number.
static KEYS: LazyLock<[RandomState; 2]> = LazyLock::new(|| [RandomState::new(), RandomState::new()]);

/// The fingerprint of what is selected below a field, with the values of the variables in it, and of whatever else
/// makes a difference to the answer.
pub fn fingerprint(ctx: &Context<'_>, besides: impl Hash) -> u128 {
    let env = ctx.query_env;
    KEYS.iter().fold(0, |print, key| {
        let mut reader = Reader { env, key, fragments: HashMap::new() };
        let below = reader.set(&ctx.item.node.selection_set);
        print << 64 | u128::from(key.hash_one((&ctx.item.node.name.node, below, &besides)))
    })
}

struct Reader<'e> {
    env: &'e QueryEnv,
    key: &'e RandomState,
    /// Each fragment is read once, however often it is spread.
    fragments: HashMap<&'e Name, u64>,
}

impl<'e> Reader<'e> {
    fn set(&mut self, set: &'e Positioned<SelectionSet>) -> u64 {
        let mut print = self.key.build_hasher();
        for selection in &set.node.items {
            match &selection.node {
                Selection::Field(field) => (0, self.field(&field.node)).hash(&mut print),
                Selection::FragmentSpread(spread) => {
                    let directives = self.directives(&spread.node.directives);
                    (1, self.fragment(&spread.node.fragment_name.node), directives).hash(&mut print);
                }
                Selection::InlineFragment(inline) => {
                    let on = inline.node.type_condition.as_ref().map(|on| &on.node.on.node);
                    let directives = self.directives(&inline.node.directives);
                    (2, on, directives, self.set(&inline.node.selection_set)).hash(&mut print);
                }
            }
        }
        print.finish()
    }

    fn field(&mut self, field: &'e Field) -> u64 {
        let alias = field.alias.as_ref().map(|alias| &alias.node);
        let arguments = self.arguments(&field.arguments);
        let directives = self.directives(&field.directives);
        let below = self.set(&field.selection_set);
        self.key.hash_one((alias, &field.name.node, arguments, directives, below))
    }

    fn fragment(&mut self, name: &'e Name) -> u64 {
        if let Some(known) = self.fragments.get(name) {
            return *known;
        }
        // No fragment that is valid spreads itself.
        self.fragments.insert(name, 0);
        let Some(fragment) = self.env.fragments.get(name) else { return 0 };
        let below = self.set(&fragment.node.selection_set);
        let print = self.key.hash_one((&fragment.node.type_condition.node.on.node, below));
        self.fragments.insert(name, print);
        print
    }

    fn directives(&self, directives: &[Positioned<Directive>]) -> Vec<(Name, u64)> {
        let read = |directive: &Positioned<Directive>| {
            (directive.node.name.node.clone(), self.arguments(&directive.node.arguments))
        };
        directives.iter().map(read).collect()
    }

    fn arguments(&self, arguments: &[(Positioned<Name>, Positioned<Written>)]) -> u64 {
        let read = |(name, value): &(Positioned<Name>, Positioned<Written>)| {
            let value = value.node.clone().into_const_with(|variable| self.variable(&variable).ok_or(()));
            (name.node.clone(), value.ok().map(|value| value.to_string()))
        };
        self.key.hash_one(arguments.iter().map(read).collect::<Vec<_>>())
    }

    fn variable(&self, name: &Name) -> Option<Value> {
        let variables: &Variables = &self.env.variables;
        let defaulted = || {
            let mut declared = self.env.operation.node.variable_definitions.iter();
            declared.find(|declared| declared.node.name.node == *name)?.node.default_value().cloned()
        };
        variables.get(name).cloned().or_else(defaulted)
    }
}

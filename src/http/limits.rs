//! What the operator says of documents.

use clap::Args;
use domain::document::Limits;

/// How large documents may be. The defaults let through what storefronts and
/// code generators ask.
#[derive(Debug, Clone, Args)]
pub struct Documents {
    /// The longest document, in bytes; variables don't count.
    #[arg(long, env = "EMPORION_MAX_DOCUMENT", value_name = "BYTES", default_value_t = Limits::default().bytes)]
    pub max_document: u64,
    /// The most names, numbers, texts and signs of a document.
    #[arg(long, env = "EMPORION_MAX_TOKENS", value_name = "COUNT", default_value_t = Limits::default().tokens)]
    pub max_tokens: u64,
    /// The most entries of one list, in a document or in its variables; most inputs take fewer.
    #[arg(long, env = "EMPORION_MAX_LIST", value_name = "COUNT", default_value_t = Limits::default().list_size)]
    pub max_list: u64,
    /// How deep fields may lie within fields.
    #[arg(long, env = "EMPORION_MAX_DEPTH", value_name = "COUNT", default_value_t = Limits::default().depth)]
    pub max_depth: u64,
    /// The most aliases, with fragments put in.
    #[arg(long, env = "EMPORION_MAX_ALIASES", value_name = "COUNT", default_value_t = Limits::default().aliases)]
    pub max_aliases: u64,
    /// The most fields at the root of an operation.
    #[arg(long, env = "EMPORION_MAX_ROOT_FIELDS", value_name = "COUNT", default_value_t = Limits::default().root_fields)]
    pub max_root_fields: u64,
    /// The most directives, with fragments put in.
    #[arg(long, env = "EMPORION_MAX_DIRECTIVES", value_name = "COUNT", default_value_t = Limits::default().directives)]
    pub max_directives: u64,
    /// The most fields and fragments, with fragments put in.
    #[arg(long, env = "EMPORION_MAX_SELECTIONS", value_name = "COUNT", default_value_t = Limits::default().selections)]
    pub max_selections: u64,
    /// The costliest operation: a field costs one, a page five more, and what a list selects counts as often as the
    /// list is long.
    #[arg(long, env = "EMPORION_MAX_COST", value_name = "COST", default_value_t = Limits::default().cost)]
    pub max_cost: u64,
}

impl Default for Documents {
    fn default() -> Self {
        let limits = Limits::default();
        Self {
            max_document: limits.bytes,
            max_tokens: limits.tokens,
            max_list: limits.list_size,
            max_depth: limits.depth,
            max_aliases: limits.aliases,
            max_root_fields: limits.root_fields,
            max_directives: limits.directives,
            max_selections: limits.selections,
            max_cost: limits.cost,
        }
    }
}

impl Documents {
    /// The limits that documents are judged by.
    pub fn limits(&self) -> Limits {
        Limits {
            bytes: self.max_document,
            tokens: self.max_tokens,
            list_size: self.max_list,
            depth: self.max_depth,
            aliases: self.max_aliases,
            root_fields: self.max_root_fields,
            directives: self.max_directives,
            selections: self.max_selections,
            cost: self.max_cost,
        }
    }
}

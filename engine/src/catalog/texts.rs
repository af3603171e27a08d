//! The texts that collections and categories have in common.

use domain::catalog::{MAX_DESCRIPTION, MAX_SEO_DESCRIPTION};
use domain::refusal::{ErrorCode, Refusal, Refusals};
use domain::text::title;

use crate::version::Change;

/// What changes about the texts; what is not given stays.
#[derive(Debug, Clone, Default)]
pub struct TextChange {
    /// The title; something new needs one.
    pub title: Option<String>,
    /// The description; it is sanitised.
    pub description_html: Option<String>,
    /// The title for search engines.
    pub seo_title: Change<String>,
    /// The description for search engines.
    pub seo_description: Change<String>,
}

/// The texts as they are stored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Texts {
    /// One line.
    pub title: String,
    /// HTML that is safe.
    pub description_html: String,
    /// One line.
    pub seo_title: Option<String>,
    /// Any lines.
    pub seo_description: Option<String>,
}

impl TextChange {
    /// The texts after the change; `before` is none for something new.
    pub fn apply(&self, before: Option<Texts>, refusals: &mut Refusals) -> Texts {
        let mut after = before.clone().unwrap_or_default();
        if let Some(text) = self.title.as_deref().or(before.is_none().then_some(""))
            && let Some(text) = refusals.keep(title(text).map_err(|refusal| refusal.at(["title"])))
        {
            after.title = text;
        }
        if let Some(html) = &self.description_html {
            refusals.extend(too_long(html, MAX_DESCRIPTION, "descriptionHtml"));
            after.description_html = ammonia::clean(html.trim());
        }
        let line = self.seo_title.clone().try_map(|text| title(&text)).map_err(|refusal| refusal.at(["seoTitle"]));
        if let Some(change) = refusals.keep(line) {
            change.apply(&mut after.seo_title);
        }
        if let Change::To(text) = &self.seo_description {
            refusals.extend(too_long(text, MAX_SEO_DESCRIPTION, "seoDescription"));
        }
        self.seo_description.clone().apply(&mut after.seo_description);
        after.seo_description =
            after.seo_description.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        after
    }
}

fn too_long(text: &str, most: usize, field: &str) -> Option<Refusal> {
    text.chars().nth(most)?;
    let message = format!("This is longer than {most} characters.");
    Some(Refusal::new(ErrorCode::Invalid, message).limit(most as i64).at([field]))
}

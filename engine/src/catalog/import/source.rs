//! A file of products, read product by product: its delimiter and its dialect
//! are found out from what it holds.

use domain::import::{Context, ImportDialect, Imported, MAX_OBJECTS, Named, RefusedProduct, Table};
use domain::import::{recognize, saleor};

use crate::job::records::{Records, delimiter};
use crate::job::text::{Fault, Text, fault};

/// The products of a file.
#[derive(Debug)]
pub struct Source {
    /// How it is written.
    pub dialect: ImportDialect,
    content: Content,
}

#[derive(Debug)]
enum Content {
    Table(Records),
    List { text: String, products: Vec<Result<Imported, RefusedProduct>>, tree: Vec<Named> },
}

impl Source {
    /// Finds out what a text holds and where its products stand.
    pub fn open(mut text: Text, dialect: Option<ImportDialect>, context: &Context) -> Result<Self, Fault> {
        let front = text.front()?;
        let first = front.trim_start_matches('\u{feff}').trim_start().chars().next();
        let list = matches!(first, Some('[' | '{'));
        match dialect {
            Some(ImportDialect::Saleor) => Self::list(text, context),
            None if list => Self::list(text, context),
            _ => Self::table(text, delimiter(&front), dialect, context),
        }
    }

    fn list(text: Text, context: &Context) -> Result<Self, Fault> {
        if text.length()? > MAX_OBJECTS as u64 {
            let most = MAX_OBJECTS / 1024 / 1024;
            return Err(fault(1, format!("A list of objects has at most {most} MiB; bring it in in parts.")));
        }
        let whole = text.whole()?;
        let (products, tree) = (saleor::read(&whole, context)?, saleor::categories(&whole)?);
        let content = Content::List { text: whole, products, tree };
        Ok(Self { dialect: ImportDialect::Saleor, content })
    }

    fn table(text: Text, delimiter: u8, dialect: Option<ImportDialect>, context: &Context) -> Result<Self, Fault> {
        let read_header = |header: &[String]| {
            let found = dialect.or_else(|| recognize(header)).ok_or_else(unknown)?;
            Ok((found, Table::new(found, header, context)?))
        };
        let opened = Records::open(text, delimiter, read_header, |(_, table), cells| table.key(cells))?;
        let (records, (dialect, _)) = opened;
        Ok(Self { dialect, content: Content::Table(records) })
    }

    /// How many products there are.
    pub fn count(&self) -> usize {
        match &self.content {
            Content::Table(records) => records.groups(),
            Content::List { products, .. } => products.len(),
        }
    }

    /// The categories that the file describes as a whole, each behind the one above it.
    pub fn tree(&self) -> &[Named] {
        match &self.content {
            Content::Table(_) => &[],
            Content::List { tree, .. } => tree,
        }
    }

    /// Reads the products from `from` on: at most `most`, or as many as have
    /// `limit` records together, but at least one.
    pub fn read(
        &mut self,
        from: usize,
        (most, limit): (usize, usize),
        context: &Context,
    ) -> Result<Vec<Result<Imported, RefusedProduct>>, Fault> {
        match &mut self.content {
            Content::List { products, .. } => Ok(products.iter().skip(from).take(most).cloned().collect()),
            Content::Table(records) => {
                let table = Table::new(self.dialect, &records.header, context)?;
                let (mut found, mut count) = (Vec::new(), 0);
                for product in (from..records.groups()).take(most) {
                    if !found.is_empty() && count + records.size(product) > limit {
                        break;
                    }
                    count += records.size(product);
                    found.push(table.read(&records.read(product, usize::MAX)?, context));
                }
                Ok(found)
            }
        }
    }

    /// Reads a list of objects again, with what the shop knows by now.
    pub fn renew(&mut self, context: &Context) -> Result<(), Fault> {
        if let Content::List { text, products, .. } = &mut self.content {
            *products = saleor::read(text, context)?;
        }
        Ok(())
    }
}

fn unknown() -> Fault {
    let reason = "This is no file of products: its first line names neither the columns of Shopify (Handle or URL \
        handle, Title) nor those of Medusa (Product Handle, Variant Price …).";
    fault(1, reason)
}

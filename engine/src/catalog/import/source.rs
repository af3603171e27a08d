//! A file of products, read product by product: its encoding, its delimiter and
//! its dialect are found out from what it holds. Where each record begins is
//! remembered, never what stands in it, so that a long file takes little memory.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::Path;

use csv::{ByteRecord, Position};
use domain::import::{Context, ImportDialect, Imported, MAX_OBJECTS, Named, Record, RefusedProduct, RowRefusal, Table};
use domain::import::{recognize, saleor};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use sha2::{Digest, Sha256};

/// How much is read at once.
const PART: usize = 64 * 1024;
/// How much of a file is looked at to find its delimiter.
const SNIFFED: u64 = 64 * 1024;

/// Why a file can't be read as a whole.
pub type Fault = Vec<RowRefusal>;

/// What a file is, found out from its bytes.
#[derive(Debug)]
pub struct Text {
    file: File,
    /// The hash of its bytes as they came, in hexadecimal digits.
    pub hash: String,
    /// How it was written.
    pub encoding: &'static str,
}

fn fault(row: usize, reason: impl Into<String>) -> Fault {
    vec![RowRefusal::new(row, "", "", reason)]
}

fn broken(error: impl std::fmt::Display) -> Fault {
    fault(1, format!("The file can't be read: {error}."))
}

impl Text {
    /// Opens a file: UTF-8, UTF-16 with its mark, or else Windows-1252. `scratch`
    /// is a name that nobody else uses at this moment.
    pub fn open(path: &Path, scratch: &str) -> Result<Self, Fault> {
        let mut file = File::open(path).map_err(broken)?;
        let mut mark = Vec::new();
        Read::by_ref(&mut file).take(3).read_to_end(&mut mark).map_err(broken)?;
        let marked = Encoding::for_bom(&mark).map(|(encoding, _)| encoding);
        file.seek(SeekFrom::Start(0)).map_err(broken)?;
        let looked = look(&file)?;
        let encoding = match marked {
            Some(encoding) => encoding,
            None if looked.utf8 => UTF_8,
            None => WINDOWS_1252,
        };
        let wide = encoding == UTF_16LE || encoding == UTF_16BE;
        if let (Some(line), false) = (looked.zero_line, wide) {
            return Err(fault(line, format!("Line {line} of the file holds a zero byte: this is no text file.")));
        }
        if encoding != UTF_8 {
            file = transcode(&file, encoding, scratch).map_err(broken)?;
        }
        Ok(Self { file, hash: looked.hash, encoding: encoding.name() })
    }

    fn start(&mut self) -> Result<(), Fault> {
        self.file.seek(SeekFrom::Start(0)).map_err(broken)?;
        Ok(())
    }
}

struct Looked {
    utf8: bool,
    zero_line: Option<usize>,
    hash: String,
}

/// Looks through a whole file once.
fn look(mut file: &File) -> Result<Looked, Fault> {
    let mut part = vec![0; PART];
    let mut hash = Sha256::new();
    let (mut utf8, mut zero_line, mut lines) = (true, None, 1);
    let mut rest: Vec<u8> = Vec::new();
    loop {
        let length = file.read(&mut part).map_err(broken)?;
        let read = &part[..length];
        if length == 0 {
            break;
        }
        hash.update(read);
        if zero_line.is_none() {
            let zero = read.iter().position(|byte| *byte == 0);
            lines += read[..zero.unwrap_or(length)].iter().filter(|byte| **byte == b'\n').count();
            zero_line = zero.map(|_| lines);
        }
        if utf8 {
            rest.extend_from_slice(read);
            match std::str::from_utf8(&rest) {
                Ok(_) => rest.clear(),
                // A letter that goes on in the next part.
                Err(error) if error.error_len().is_none() => drop(rest.drain(..error.valid_up_to())),
                Err(_) => utf8 = false,
            }
        }
    }
    let hash = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Looked { utf8: utf8 && rest.is_empty(), zero_line, hash })
}

/// The same text in UTF-8, in a file without a name, which goes with the process.
fn transcode(mut file: &File, encoding: &'static Encoding, scratch: &str) -> std::io::Result<File> {
    let path = std::env::temp_dir().join(format!("emporion-import-{scratch}"));
    let mut written = private(&path)?;
    std::fs::remove_file(&path)?;
    file.seek(SeekFrom::Start(0))?;
    let mut decoder = encoding.new_decoder_with_bom_removal();
    let (mut part, mut text) = (vec![0; PART], String::with_capacity(PART * 4));
    loop {
        let length = file.read(&mut part)?;
        text.clear();
        // Room for every letter of the part in its longest form.
        text.reserve(decoder.max_utf8_buffer_length(length).unwrap_or(PART * 4));
        let _ = decoder.decode_to_string(&part[..length], &mut text, length == 0);
        written.write_all(text.as_bytes())?;
        if length == 0 {
            break;
        }
    }
    written.seek(SeekFrom::Start(0))?;
    Ok(written)
}

fn private(path: &Path) -> std::io::Result<File> {
    let mut options = File::options();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Where a record begins, and on which line.
#[derive(Debug, Clone, Copy)]
struct Place {
    byte: u64,
    row: u32,
}

/// The products of a file.
#[derive(Debug)]
pub struct Source {
    /// How it is written.
    pub dialect: ImportDialect,
    content: Content,
}

#[derive(Debug)]
enum Content {
    Table {
        reader: csv::Reader<File>,
        header: Vec<String>,
        records: Vec<Place>,
        /// The records of each product, in the order of the first ones.
        products: Vec<Vec<u32>>,
    },
    List {
        text: String,
        products: Vec<Result<Imported, RefusedProduct>>,
        tree: Vec<Named>,
    },
}

/// Counts lines up to a byte.
struct Lines {
    reader: BufReader<File>,
    byte: u64,
    line: u32,
}

impl Lines {
    /// The line on which what follows a byte begins, behind line ends.
    fn of(&mut self, byte: u64) -> std::io::Result<u32> {
        while self.byte < byte {
            let part = self.reader.fill_buf()?;
            if part.is_empty() {
                break;
            }
            let take = part.len().min(usize::try_from(byte - self.byte).unwrap_or(usize::MAX));
            self.line += part[..take].iter().filter(|byte| **byte == b'\n').count() as u32;
            self.reader.consume(take);
            self.byte += take as u64;
        }
        loop {
            match self.reader.fill_buf()?.first() {
                Some(end @ (b'\r' | b'\n')) => self.line += u32::from(*end == b'\n'),
                _ => return Ok(self.line),
            }
            self.reader.consume(1);
            self.byte += 1;
        }
    }
}

/// Of comma, semicolon and tab the one that stands most often in the first record.
fn delimiter(text: &str) -> u8 {
    let mut quoted = false;
    let mut counts = [(b',', 0), (b';', 0), (b'\t', 0)];
    for c in text.bytes() {
        match c {
            b'"' => quoted = !quoted,
            b'\n' if !quoted && counts.iter().any(|(_, count)| *count > 0) => break,
            _ if quoted => {}
            c => counts.iter_mut().filter(|(known, _)| *known == c).for_each(|(_, count)| *count += 1),
        }
    }
    // Of equals the first one.
    counts.iter().rev().max_by_key(|(_, count)| *count).map_or(b',', |(delimiter, _)| *delimiter)
}

impl Source {
    /// Finds out what a text holds and where its products stand.
    pub fn open(mut text: Text, dialect: Option<ImportDialect>, context: &Context) -> Result<Self, Fault> {
        let mut front = Vec::new();
        text.start()?;
        Read::by_ref(&mut text.file).take(SNIFFED).read_to_end(&mut front).map_err(broken)?;
        text.start()?;
        let front = String::from_utf8_lossy(&front);
        let first = front.trim_start_matches('\u{feff}').trim_start().chars().next();
        let list = matches!(first, Some('[' | '{'));
        match dialect {
            Some(ImportDialect::Saleor) => Self::list(text, context),
            None if list => Self::list(text, context),
            _ => Self::table(text, delimiter(&front), dialect, context),
        }
    }

    fn list(text: Text, context: &Context) -> Result<Self, Fault> {
        let length = text.file.metadata().map_err(broken)?.len();
        if length > MAX_OBJECTS as u64 {
            let most = MAX_OBJECTS / 1024 / 1024;
            return Err(fault(1, format!("A list of objects has at most {most} MiB; bring it in in parts.")));
        }
        let mut whole = String::new();
        BufReader::new(text.file).read_to_string(&mut whole).map_err(broken)?;
        let (products, tree) = (saleor::read(&whole, context)?, saleor::categories(&whole)?);
        let content = Content::List { text: whole, products, tree };
        Ok(Self { dialect: ImportDialect::Saleor, content })
    }

    fn table(text: Text, delimiter: u8, dialect: Option<ImportDialect>, context: &Context) -> Result<Self, Fault> {
        let mut lines =
            Lines { reader: BufReader::with_capacity(PART, text.file.try_clone().map_err(broken)?), byte: 0, line: 1 };
        // Both handles share one place in the file: the lines are counted first.
        let mut reader = csv::ReaderBuilder::new();
        reader.has_headers(false).flexible(true).delimiter(delimiter).buffer_capacity(PART);
        let mut offsets: Vec<u64> = Vec::new();
        let mut keys = reader.from_reader(text.file);
        let mut record = ByteRecord::new();
        let mut header: Option<Vec<String>> = None;
        let mut table: Option<(ImportDialect, Table)> = None;
        let mut products: Vec<Vec<u32>> = Vec::new();
        let mut known: HashMap<String, u32> = HashMap::new();
        while keys.read_byte_record(&mut record).map_err(broken)? {
            let cells = texts(&record);
            let Some((_, table)) = &table else {
                let found = dialect.or_else(|| recognize(&cells)).ok_or_else(unknown)?;
                table = Some((found, Table::new(found, &cells, context)?));
                header = Some(cells);
                continue;
            };
            if cells.iter().all(|cell| cell.trim().is_empty()) {
                continue;
            }
            let number = offsets.len() as u32;
            offsets.push(record.position().map_or(0, Position::byte));
            match table.key(&cells) {
                // Records that name no product belong to nobody, so not to one another either.
                "" => products.push(vec![number]),
                key => match known.get(key) {
                    Some(product) => products[*product as usize].push(number),
                    None => {
                        known.insert(key.to_owned(), products.len() as u32);
                        products.push(vec![number]);
                    }
                },
            }
        }
        let Some((dialect, _)) = table else { return Err(unknown()) };
        let mut file = keys.into_inner();
        file.seek(SeekFrom::Start(0)).map_err(broken)?;
        let mut records = Vec::with_capacity(offsets.len());
        for byte in offsets {
            records.push(Place { byte, row: lines.of(byte).map_err(broken)? });
        }
        file.seek(SeekFrom::Start(0)).map_err(broken)?;
        let reader = reader.from_reader(file);
        let content = Content::Table { reader, header: header.unwrap_or_default(), records, products };
        Ok(Self { dialect, content })
    }

    /// How many products there are.
    pub fn count(&self) -> usize {
        match &self.content {
            Content::Table { products, .. } => products.len(),
            Content::List { products, .. } => products.len(),
        }
    }

    /// The categories that the file describes as a whole, each behind the one above it.
    pub fn tree(&self) -> &[Named] {
        match &self.content {
            Content::Table { .. } => &[],
            Content::List { tree, .. } => tree,
        }
    }

    /// Reads the products from `from` on: at most `most`, or as many as have
    /// `records` records together, but at least one.
    pub fn read(
        &mut self,
        from: usize,
        (most, records): (usize, usize),
        context: &Context,
    ) -> Result<Vec<Result<Imported, RefusedProduct>>, Fault> {
        match &mut self.content {
            Content::List { products, .. } => Ok(products.iter().skip(from).take(most).cloned().collect()),
            Content::Table { reader, header, records: places, products } => {
                let table = Table::new(self.dialect, header, context)?;
                let (mut found, mut count) = (Vec::new(), 0);
                let mut record = ByteRecord::new();
                for product in products.iter().skip(from).take(most) {
                    if !found.is_empty() && count + product.len() > records {
                        break;
                    }
                    count += product.len();
                    let mut rows = Vec::with_capacity(product.len());
                    for number in product {
                        let place = places[*number as usize];
                        let mut position = Position::new();
                        position.set_byte(place.byte);
                        reader.seek(position).map_err(broken)?;
                        reader.read_byte_record(&mut record).map_err(broken)?;
                        rows.push(Record { row: place.row as usize, cells: texts(&record) });
                    }
                    found.push(table.read(&rows, context));
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

fn texts(record: &ByteRecord) -> Vec<String> {
    record.iter().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect()
}

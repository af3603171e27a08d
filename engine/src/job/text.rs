//! A file of text that a job reads: how it is written is found out from its bytes.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use domain::import::RowRefusal;
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use sha2::{Digest, Sha256};

use crate::error::Result as Outcome;

/// How much of a file is looked at to find out what it holds.
const SNIFFED: u64 = 64 * 1024;
/// How much is read at once.
pub(super) const PART: usize = 64 * 1024;
/// Why a file can't be read as a whole.
pub type Fault = Vec<RowRefusal>;

/// What a file is, found out from its bytes.
#[derive(Debug)]
pub struct Text {
    pub(super) file: File,
    /// The hash of its bytes as they came, in hexadecimal digits.
    pub hash: String,
    /// How it was written.
    pub encoding: &'static str,
}

/// A fault that lies in no cell.
pub fn fault(row: usize, reason: impl Into<String>) -> Fault {
    vec![RowRefusal::new(row, "", "", reason)]
}

/// Says that a file can't be read on.
pub fn broken(error: impl std::fmt::Display) -> Fault {
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

    /// Opens a file that must still have this hash.
    pub fn expect(path: &Path, scratch: &str, hash: &str) -> Result<Self, Fault> {
        let text = Self::open(path, scratch)?;
        if text.hash != hash {
            return Err(fault(1, "The file is another one than when the job was made."));
        }
        Ok(text)
    }

    /// Its first part, to see what it is; what is read of it next begins at its start again.
    pub fn front(&mut self) -> Result<String, Fault> {
        let mut front = Vec::new();
        self.start()?;
        Read::by_ref(&mut self.file).take(SNIFFED).read_to_end(&mut front).map_err(broken)?;
        self.start()?;
        Ok(String::from_utf8_lossy(&front).into_owned())
    }

    /// How long it is, in bytes.
    pub fn length(&self) -> Result<u64, Fault> {
        Ok(self.file.metadata().map_err(broken)?.len())
    }

    /// All of it, for files that are short.
    pub fn whole(self) -> Result<String, Fault> {
        let mut whole = String::new();
        BufReader::new(self.file).read_to_string(&mut whole).map_err(broken)?;
        Ok(whole)
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

/// The hash of a file's bytes, in hexadecimal digits.
pub async fn hash_of(path: PathBuf, scratch: String) -> Outcome<Result<String, Fault>> {
    let hash = tokio::task::spawn_blocking(move || Ok(Text::open(&path, &scratch)?.hash));
    Ok(hash.await?)
}

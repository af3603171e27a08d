//! The file of a backup: a tar archive of the plainest kind, so that any `tar` opens it where there is no Emporion. Its
//! last entry, [`SUMS`], has the hash of every other one, as `sha256sum --check` reads it.
//!
//! Reading is strict: a head is taken only when it is, byte for byte, what [`head`] writes, and what fills a block up is
//! zero. So a flipped bit anywhere is found.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};

use sha2::{Digest, Sha256};

use super::Fault;

/// The entry with the hashes of the others.
pub const SUMS: &str = "SHA256SUMS";
/// An archive is made of blocks of so many bytes.
const BLOCK: usize = 512;
/// The longest name that fits into a head.
const LONGEST: usize = 100;
/// Sizes from here on don't fit into eleven octal digits.
const OCTAL: u64 = 1 << 33;
/// How much is read at once.
const PIECE: usize = 128 * 1024;

/// A hash in hexadecimal digits.
pub fn hex(hash: &[u8]) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What stands before the bytes of an entry: its name, its size in bytes, when it was written, in seconds.
fn head(name: &str, size: u64, at: u64) -> [u8; BLOCK] {
    let mut head = [0; BLOCK];
    let mut put = |from: usize, bytes: &[u8]| head[from..from + bytes.len()].copy_from_slice(bytes);
    put(0, name.as_bytes());
    put(100, b"0000600\0");
    put(108, b"0000000\0");
    put(116, b"0000000\0");
    match size < OCTAL {
        true => put(124, format!("{size:011o}\0").as_bytes()),
        false => {
            put(124, &[0x80]);
            put(128, &size.to_be_bytes());
        }
    }
    put(136, format!("{at:011o}\0").as_bytes());
    put(148, b"        ");
    put(156, b"0");
    put(257, b"ustar\x0000");
    put(329, b"0000000\x000000000\0");
    let sum: u32 = head.iter().map(|byte| u32::from(*byte)).sum();
    head[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    head
}

/// Name, size and time of a head, when it is one of ours.
fn read_head(head_bytes: &[u8; BLOCK]) -> Option<(String, u64, u64)> {
    let octal = |from: usize| {
        let digits = std::str::from_utf8(head_bytes.get(from..from + 11)?).ok()?;
        u64::from_str_radix(digits, 8).ok()
    };
    let name = head_bytes.get(..LONGEST)?.split(|byte| *byte == 0).next()?;
    let name = std::str::from_utf8(name).ok()?.to_owned();
    let size = match head_bytes.get(124)? {
        0x80 => u64::from_be_bytes(head_bytes.get(128..136)?.try_into().ok()?),
        _ => octal(124)?,
    };
    let at = octal(136)?;
    (head(&name, size, at) == *head_bytes).then_some((name, size, at))
}

/// Writes an archive from its beginning to its end.
#[derive(Debug)]
pub struct Writer<W> {
    out: W,
    at: u64,
    sums: String,
}

impl<W: Write> Writer<W> {
    /// Begins; `at` is the time that entries bear, in seconds.
    pub fn new(out: W, at: u64) -> Self {
        Self { out, at, sums: String::new() }
    }

    /// Writes an entry of exactly so many bytes; answers with their hash.
    pub fn add(&mut self, name: &str, size: u64, from: impl Read) -> io::Result<String> {
        let hash = self.put(name, size, from)?;
        self.sums.push_str(&format!("{hash}  {name}\n"));
        Ok(hash)
    }

    fn put(&mut self, name: &str, size: u64, from: impl Read) -> io::Result<String> {
        if name.len() > LONGEST {
            return Err(io::Error::other(format!("the name {name:?} is too long")));
        }
        self.out.write_all(&head(name, size, self.at))?;
        let (mut from, mut hash, mut left) = (from.take(size), Sha256::new(), size);
        let mut piece = vec![0; PIECE];
        while left > 0 {
            let read = from.read(&mut piece)?;
            let got = piece.get(..read).filter(|got| !got.is_empty()).ok_or(io::ErrorKind::UnexpectedEof)?;
            hash.update(got);
            self.out.write_all(got)?;
            left -= got.len() as u64;
        }
        self.out.write_all(&vec![0; fill(size)])?;
        Ok(hex(&hash.finalize()))
    }

    /// Writes the hashes and the end; answers with what it wrote to.
    pub fn end(mut self) -> io::Result<W> {
        let sums = std::mem::take(&mut self.sums);
        self.put(SUMS, sums.len() as u64, sums.as_bytes())?;
        self.out.write_all(&[0; 2 * BLOCK])?;
        Ok(self.out)
    }
}

/// How many bytes fill the last block of an entry up.
fn fill(size: u64) -> usize {
    (BLOCK - (size % BLOCK as u64) as usize) % BLOCK
}

/// An entry while its bytes are read.
pub struct Entry<'r> {
    /// Its name.
    pub name: &'r str,
    /// How many bytes it has.
    pub size: u64,
    /// Its bytes.
    pub bytes: &'r mut dyn Read,
}

/// Bytes that are hashed as they are read.
struct Hashed<R> {
    from: R,
    hash: Sha256,
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(into)?;
        self.hash.update(into.get(..read).unwrap_or_default());
        Ok(read)
    }
}

/// Reads an archive to its end and hands over each entry as it comes, before anybody knows whether its bytes are whole;
/// what was handed over counts only when all of it is `Ok`.
pub fn read(mut from: impl Read, mut each: impl FnMut(Entry<'_>) -> Result<(), Fault>) -> Result<(), Fault> {
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    let mut sums = None;
    loop {
        let mut block = [0; BLOCK];
        whole(&mut from, &mut block, found.is_empty())?;
        if block == [0; BLOCK] {
            break;
        }
        let (name, size, _) = read_head(&block).ok_or_else(|| Fault::of_head(found.is_empty()))?;
        let mut bytes = Hashed { from: (&mut from).take(size), hash: Sha256::new() };
        if name == SUMS {
            let mut text = String::new();
            bytes.read_to_string(&mut text).map_err(|error| match error.kind() {
                io::ErrorKind::InvalidData => Fault::Damaged(SUMS.to_owned()),
                _ => Fault::from(error),
            })?;
            sums = Some(text);
        } else {
            each(Entry { name: &name, size, bytes: &mut bytes })?;
            io::copy(&mut bytes, &mut io::sink())?;
        }
        if bytes.from.limit() > 0 {
            return Err(Fault::Cut);
        }
        let hash = hex(&bytes.hash.finalize());
        let mut rest = vec![0; fill(size)];
        whole(&mut from, &mut rest, false)?;
        let twice = name != SUMS && found.insert(name.clone(), hash).is_some();
        if twice || rest.iter().any(|byte| *byte != 0) || (name != SUMS && sums.is_some()) {
            return Err(Fault::Damaged(name));
        }
    }
    ended(from)?;
    compare(&found, &sums.ok_or(Fault::Cut)?)
}

/// Behind the first block of zeros there is one more, and nothing else.
fn ended(mut from: impl Read) -> Result<(), Fault> {
    let mut block = [0; BLOCK];
    whole(&mut from, &mut block, false)?;
    match block == [0; BLOCK] && from.read(&mut [0])? == 0 {
        true => Ok(()),
        false => Err(Fault::Damaged("the end of the archive".to_owned())),
    }
}

fn compare(found: &BTreeMap<String, String>, sums: &str) -> Result<(), Fault> {
    let mut told = BTreeMap::new();
    for line in sums.lines() {
        let (hash, name) = line.split_once("  ").ok_or_else(|| Fault::Damaged(SUMS.to_owned()))?;
        told.insert(name, hash);
    }
    for (name, hash) in found {
        if told.remove(name.as_str()) != Some(hash) {
            return Err(Fault::Damaged(name.clone()));
        }
    }
    match told.into_keys().next() {
        None => Ok(()),
        Some(name) => Err(Fault::Damaged(name.to_owned())),
    }
}

/// Fills all of `into`; an end before that is where the file was cut.
fn whole(from: &mut impl Read, into: &mut [u8], first: bool) -> Result<(), Fault> {
    from.read_exact(into).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof if first => Fault::NoBackup,
        io::ErrorKind::UnexpectedEof => Fault::Cut,
        _ => Fault::from(error),
    })
}

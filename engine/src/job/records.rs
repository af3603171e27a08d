//! The records of a table, gathered by what they are about. Where each record
//! begins is remembered, never what stands in it, so that a long file takes
//! little memory.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Seek, SeekFrom};

use csv::{ByteRecord, Position};
use domain::import::Record;

use super::text::{Fault, PART, Text, broken};

/// Where a record begins, and on which line.
#[derive(Debug, Clone, Copy)]
struct Place {
    byte: u64,
    row: u32,
}

/// The records of a table, in groups.
#[derive(Debug)]
pub struct Records {
    reader: csv::Reader<File>,
    /// The names of the columns.
    pub header: Vec<String>,
    records: Vec<Place>,
    /// The records of each group, in the order of the first ones.
    groups: Vec<Vec<u32>>,
    known: HashMap<String, u32>,
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
pub fn delimiter(text: &str) -> u8 {
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

impl Records {
    /// Finds the records of a text and what stands together. `read_header` learns
    /// from the names of the columns how `key` tells groups apart; a record
    /// without a key belongs to nobody, so not to another one either.
    pub fn open<T>(
        text: Text,
        delimiter: u8,
        read_header: impl FnOnce(&[String]) -> Result<T, Fault>,
        key: impl for<'r> Fn(&T, &'r [String]) -> &'r str,
    ) -> Result<(Self, T), Fault> {
        let mut lines =
            Lines { reader: BufReader::with_capacity(PART, text.file.try_clone().map_err(broken)?), byte: 0, line: 1 };
        // Both handles share one place in the file: the lines are counted first.
        let mut reader = csv::ReaderBuilder::new();
        reader.has_headers(false).flexible(true).delimiter(delimiter).buffer_capacity(PART);
        let mut offsets: Vec<u64> = Vec::new();
        let mut keys = reader.from_reader(text.file);
        let mut record = ByteRecord::new();
        let header = if keys.read_byte_record(&mut record).map_err(broken)? { texts(&record) } else { Vec::new() };
        let table = read_header(&header)?;
        let mut groups: Vec<Vec<u32>> = Vec::new();
        let mut known: HashMap<String, u32> = HashMap::new();
        while keys.read_byte_record(&mut record).map_err(broken)? {
            let cells = texts(&record);
            if cells.iter().all(|cell| cell.trim().is_empty()) {
                continue;
            }
            let number = offsets.len() as u32;
            offsets.push(record.position().map_or(0, Position::byte));
            match key(&table, &cells) {
                "" => groups.push(vec![number]),
                key => match known.get(key) {
                    Some(group) => groups[*group as usize].push(number),
                    None => {
                        known.insert(key.to_owned(), groups.len() as u32);
                        groups.push(vec![number]);
                    }
                },
            }
        }
        let mut file = keys.into_inner();
        file.seek(SeekFrom::Start(0)).map_err(broken)?;
        let mut records = Vec::with_capacity(offsets.len());
        for byte in offsets {
            records.push(Place { byte, row: lines.of(byte).map_err(broken)? });
        }
        file.seek(SeekFrom::Start(0)).map_err(broken)?;
        Ok((Self { reader: reader.from_reader(file), header, records, groups, known }, table))
    }

    /// How many records there are.
    pub fn count(&self) -> usize {
        self.records.len()
    }

    /// How many groups there are.
    pub fn groups(&self) -> usize {
        self.groups.len()
    }

    /// How many records a group has.
    pub fn size(&self, group: usize) -> usize {
        self.groups.get(group).map_or(0, Vec::len)
    }

    /// Whether a group has this key.
    pub fn names(&self, key: &str) -> bool {
        self.known.contains_key(key)
    }

    /// The records of a group, at most so many.
    pub fn read(&mut self, group: usize, most: usize) -> Result<Vec<Record>, Fault> {
        let numbers = self.groups.get(group).map(Vec::as_slice).unwrap_or_default();
        let mut record = ByteRecord::new();
        let mut rows = Vec::with_capacity(numbers.len().min(most));
        for number in numbers.iter().take(most) {
            let place = self.records[*number as usize];
            let mut position = Position::new();
            position.set_byte(place.byte);
            self.reader.seek(position).map_err(broken)?;
            self.reader.read_byte_record(&mut record).map_err(broken)?;
            rows.push(Record { row: place.row as usize, cells: texts(&record) });
        }
        Ok(rows)
    }
}

fn texts(record: &ByteRecord) -> Vec<String> {
    record.iter().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect()
}

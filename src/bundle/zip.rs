//! The container: a ZIP archive (PKWARE APPNOTE 6.3) in one layout alone, so that no octet of it is
//! without meaning. Readers of archives skip what they do not need; an auditor's must not.

use std::collections::BTreeSet;

use miniz_oxide::deflate::compress_to_vec;
use miniz_oxide::inflate::decompress_to_vec_with_limit;

/// Files of one bundle.
const MOST_FILES: usize = 256;
/// Octets of all files together.
const MOST_OCTETS: usize = 512 << 20;
/// 1980-01-01 00:00, the first time that an archive can name: a bundle of the same run is the same.
const TIME: u32 = 0x0021_0000;

const LOCAL: u32 = 0x0403_4b50;
const CENTRAL: u32 = 0x0201_4b50;
const END: u32 = 0x0605_4b50;

/// A file and whether it is packed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) content: Vec<u8>,
    pub(super) packed: Vec<u8>,
    is_deflated: bool,
    crc: u32,
}

/// What is wrong with a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// Octets before the place.
    pub(super) offset: usize,
    pub(super) what: String,
}

impl Entry {
    /// A file that is deflated.
    pub(super) fn deflated(name: &str, content: Vec<u8>) -> Self {
        let (crc, packed) = (crc32(&content), compress_to_vec(&content, 6));
        Self { name: name.to_owned(), content, packed, is_deflated: true, crc }
    }

    /// A file that is stored as it is.
    pub(super) fn stored(name: &str, content: Vec<u8>) -> Self {
        let (crc, packed) = (crc32(&content), content.clone());
        Self { name: name.to_owned(), content, packed, is_deflated: false, crc }
    }

    /// What local header and directory say of it.
    fn fields(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let method: u16 = if self.is_deflated { 8 } else { 0 };
        out.extend_from_slice(&20_u16.to_le_bytes());
        out.extend_from_slice(&0_u16.to_le_bytes());
        out.extend_from_slice(&method.to_le_bytes());
        out.extend_from_slice(&TIME.to_le_bytes());
        out.extend_from_slice(&self.crc.to_le_bytes());
        for length in [self.packed.len(), self.content.len()] {
            out.extend_from_slice(&length32(length).to_le_bytes());
        }
        out.extend_from_slice(&length16(self.name.len()).to_le_bytes());
        out.extend_from_slice(&0_u16.to_le_bytes());
        out
    }
}

fn length32(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

fn length16(length: usize) -> u16 {
    u16::try_from(length).unwrap_or(u16::MAX)
}

/// The archive of these files, in their order.
pub(super) fn write(entries: &[Entry]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for entry in entries {
        let at = length32(out.len());
        let fields = entry.fields();
        out.extend_from_slice(&LOCAL.to_le_bytes());
        out.extend_from_slice(&fields);
        out.extend_from_slice(entry.name.as_bytes());
        out.extend_from_slice(&entry.packed);
        directory.extend_from_slice(&CENTRAL.to_le_bytes());
        directory.extend_from_slice(&20_u16.to_le_bytes());
        directory.extend_from_slice(&fields);
        // No comment, first disk, no attributes.
        directory.extend_from_slice(&[0; 10]);
        directory.extend_from_slice(&at.to_le_bytes());
        directory.extend_from_slice(entry.name.as_bytes());
    }
    let (start, count) = (length32(out.len()), length16(entries.len()).to_le_bytes());
    out.extend_from_slice(&directory);
    out.extend_from_slice(&END.to_le_bytes());
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&count);
    out.extend_from_slice(&count);
    out.extend_from_slice(&length32(directory.len()).to_le_bytes());
    out.extend_from_slice(&start.to_le_bytes());
    out.extend_from_slice(&[0; 2]);
    out
}

/// The files of an archive that [`write()`] made, with where the packed octets of each begin.
///
/// A file whose packed octets were changed comes back as far as it can be read: its digests tell.
/// The error says where the archive is not as [`write()`] makes it.
pub(super) fn read(archive: &[u8]) -> Result<Vec<(usize, Entry)>, Fault> {
    let mut entries: Vec<(usize, Entry)> = Vec::new();
    let (mut at, mut total) = (0, 0);
    let mut names = BTreeSet::new();
    while number(archive, at, 4)? == LOCAL as usize {
        let (packed, whole) = (number(archive, at + 18, 4)?, number(archive, at + 22, 4)?);
        let length = number(archive, at + 26, 2)?;
        let start = at + 30 + length;
        let name = text(archive, at + 30, length)?;
        total += whole;
        if entries.len() == MOST_FILES || total > MOST_OCTETS {
            let what = format!("more than {MOST_FILES} files or {MOST_OCTETS} octets");
            return Err(Fault { offset: at, what });
        }
        if !names.insert(name.to_ascii_lowercase()) {
            return Err(Fault { offset: at + 30, what: format!("{name} is there twice") });
        }
        let octets = start
            .checked_add(packed)
            .and_then(|end| archive.get(start..end))
            .ok_or_else(|| cut(archive))?;
        let is_deflated = number(archive, at + 8, 2)? == 8;
        let content = match is_deflated {
            true => inflate(octets, whole),
            false => octets.to_vec(),
        };
        let crc = length32(number(archive, at + 14, 4)?);
        let entry = Entry { name, content, packed: octets.to_vec(), is_deflated, crc };
        entries.push((start, entry));
        at = start + packed;
    }
    // Whatever else stands in the archive must be what belongs there; contents are for the digests.
    let expected = expected(archive, &entries)?;
    let differs = expected.iter().zip(archive).position(|(a, b)| a != b);
    match differs.or((expected.len() != archive.len()).then_some(expected.len().min(archive.len())))
    {
        Some(offset) if offset >= archive.len() => Err(cut(archive)),
        Some(offset) if offset >= expected.len() => {
            Err(Fault { offset, what: "octets after the end of the archive".into() })
        }
        Some(offset) => Err(Fault { offset, what: "a header of the archive was changed".into() }),
        None => Ok(entries),
    }
}

/// The archive as it must be, given the packed octets of each file, and sizes and checksums as its
/// local headers have them.
fn expected(archive: &[u8], entries: &[(usize, Entry)]) -> Result<Vec<u8>, Fault> {
    let mut again = write(&entries.iter().map(|(_, entry)| entry.clone()).collect::<Vec<_>>());
    // A file that does not unpack keeps the size that it had.
    let mut directory = entries.last().map_or(0, |(start, entry)| start + entry.packed.len());
    for (start, entry) in entries {
        let header = start - entry.name.len() - 30;
        let size = archive.get(header + 22..header + 26).ok_or_else(|| cut(archive))?;
        for at in [header + 22, directory + 24] {
            if let Some(place) = again.get_mut(at..at + 4) {
                place.copy_from_slice(size);
            }
        }
        directory += 46 + entry.name.len();
    }
    Ok(again)
}

fn cut(archive: &[u8]) -> Fault {
    Fault { offset: archive.len(), what: "the archive ends too early".into() }
}

fn number(archive: &[u8], at: usize, width: usize) -> Result<usize, Fault> {
    let octets = archive.get(at..at + width).ok_or_else(|| cut(archive))?;
    Ok(octets.iter().rev().fold(0, |sum, octet| sum << 8 | usize::from(*octet)))
}

/// A name that stays in the folder into which somebody unpacks it.
fn text(archive: &[u8], at: usize, length: usize) -> Result<String, Fault> {
    let octets = archive.get(at..at + length).ok_or_else(|| cut(archive))?;
    let is_fit = |octet: &u8| octet.is_ascii_alphanumeric() || b"._-/".contains(octet);
    let name = String::from_utf8_lossy(octets).into_owned();
    let is_inside = name.split('/').all(|part| !part.is_empty() && part != "." && part != "..");
    match is_inside && octets.iter().all(is_fit) {
        true => Ok(name),
        false => {
            Err(Fault { offset: at, what: format!("{name:?} is no name of a file in a bundle") })
        }
    }
}

/// As much as can be unpacked, and not more than `size` octets.
fn inflate(packed: &[u8], size: usize) -> Vec<u8> {
    decompress_to_vec_with_limit(packed, size.min(MOST_OCTETS)).unwrap_or_else(|e| e.output)
}

/// CRC-32 of ISO 3309, as archives have it.
fn crc32(octets: &[u8]) -> u32 {
    let table: [u32; 256] = std::array::from_fn(|index| {
        (0..8).fold(
            index as u32,
            |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 },
        )
    });
    let step = |crc: u32, octet: &u8| table[((crc ^ u32::from(*octet)) & 0xff) as usize] ^ crc >> 8;
    !octets.iter().fold(!0, step)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Vec<u8> {
        write(&[
            Entry::stored("manifest.json", b"{}".to_vec()),
            Entry::deflated("a/run.json", b"0123456789".repeat(100)),
        ])
    }

    #[test]
    fn what_was_written_is_read() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        let entries = read(&sample()).unwrap();
        let names: Vec<_> = entries.iter().map(|(_, e)| e.name.as_str()).collect();
        assert_eq!(names, ["manifest.json", "a/run.json"]);
        assert_eq!(entries[1].1.content.len(), 1000);
    }

    #[test]
    fn what_is_no_archive_of_ours_is_refused_with_its_place() {
        let whole = sample();
        let twice = [Entry::stored("a", vec![]), Entry::stored("A", vec![])];
        let out = |name: &str| write(&[Entry::stored(name, vec![])]);
        for (archive, part) in [
            (whole[..whole.len() - 1].to_vec(), "too early"),
            (whole[..40].to_vec(), "too early"),
            (vec![], "too early"),
            ([&whole[..], b"x"].concat(), "after the end"),
            (write(&twice), "twice"),
            (out("../x"), "no name"),
            (out("/etc/x"), "no name"),
            (out("a\\b"), "no name"),
            (out("a//b"), "no name"),
        ] {
            let fault = read(&archive).unwrap_err();
            assert!(fault.what.contains(part), "{fault:?}");
        }
    }

    #[test]
    fn a_bomb_does_not_go_off() {
        let mut bomb = Entry::deflated("a", vec![0; 1 << 20]);
        bomb.content.truncate(10);
        let entries = read(&write(&[bomb])).unwrap();
        assert!(entries[0].1.content.len() <= 10);
    }
}

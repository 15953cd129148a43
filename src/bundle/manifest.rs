//! The manifest: every file of a bundle with its digests, whole and by block.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::zip::Entry;

/// Version of the layout of bundles.
pub(super) const VERSION: u32 = 1;
/// Octets of a block.
pub(super) const BLOCK: usize = 4096;
/// Hexadecimal digits that tell blocks apart; the digest of the whole is what proves.
const BLOCK_DIGITS: usize = 16;

/// Every file but the manifest itself and the attestation, which names the manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    /// [`VERSION`].
    pub(super) version: u32,
    /// The run.
    pub(super) run: String,
    /// In the order of the archive.
    pub(super) files: Vec<FileDigest>,
}

/// A file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileDigest {
    pub(super) name: String,
    /// Octets.
    pub(super) size: usize,
    /// Of the content, in hexadecimal.
    pub(super) sha256: String,
    /// Of the octets as the archive has them.
    pub(super) packed_sha256: String,
    /// The first digits of the SHA-256 of each block of 4,096 octets: where a change is.
    pub(super) blocks: Vec<String>,
}

impl Manifest {
    pub(super) fn of(run: &str, entries: &[Entry]) -> Self {
        let files = entries.iter().map(|entry| FileDigest {
            name: entry.name.clone(),
            size: entry.content.len(),
            sha256: sha256(&entry.content),
            packed_sha256: sha256(&entry.packed),
            blocks: blocks(&entry.content),
        });
        Self { version: VERSION, run: run.to_owned(), files: files.collect() }
    }
}

impl FileDigest {
    /// The first and the last octet, counted from 0, of the first block that differs.
    pub(super) fn difference(&self, content: &[u8]) -> (usize, usize) {
        let found = blocks(content);
        let same = self.blocks.iter().zip(&found).take_while(|(a, b)| a == b).count();
        let start = same * BLOCK;
        let end = (start + BLOCK).min(self.size.max(content.len())).max(start + 1);
        (start, end - 1)
    }
}

fn blocks(content: &[u8]) -> Vec<String> {
    content.chunks(BLOCK).map(|block| sha256(block)[..BLOCK_DIGITS].to_owned()).collect()
}

/// The digest in hexadecimal.
pub(super) fn sha256(octets: &[u8]) -> String {
    Sha256::digest(octets).iter().map(|octet| format!("{octet:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_found_in_its_block() {
        let content: Vec<u8> = (0..10_000_u32).map(|n| (n % 251) as u8).collect();
        let manifest = Manifest::of("run", &[Entry::stored("a", content.clone())]);
        let file = &manifest.files[0];
        let mut changed = content.clone();
        changed[5000] ^= 1;
        assert_eq!(file.difference(&changed), (4096, 8191));
        assert_eq!(file.difference(&content[..9000]), (8192, 9999));
        assert_eq!(file.difference(&[&content[..], b"x"].concat()), (8192, 10_000));
    }
}

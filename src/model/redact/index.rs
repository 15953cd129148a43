//! Finds values in a text by windows of eight octets: one look at each place, whatever the number of
//! values, their length and their encodings.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// Octets of a window.
pub(super) const WINDOW: usize = 8;
/// Octets of the window of a value that is shorter than [`WINDOW`].
pub(super) const NARROW: usize = 4;
/// Parts of values that one window leads to: tokens of one server begin alike, and to hide such a
/// beginning any of them will do.
const MOST_PARTS: u32 = 4;
/// End of a chain.
const NONE: u32 = u32::MAX;

/// How a value is written where its window was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// As it is, as a whole.
    Whole,
    /// As it is, from a segment of that number on.
    Part(u32),
    /// In base64, after that many octets (0 to 2) of a group of three.
    Base64(u8),
    /// In hexadecimal digits.
    Hex,
}

/// Where a window belongs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// Number of the value.
    pub(super) secret: u32,
    /// How it is written.
    pub(super) form: Form,
    /// Octets of this form before the window.
    pub(super) offset: u32,
    next: u32,
}

/// Multiplies, since windows are no adversary's numbers alone but spread well enough by it.
#[derive(Default)]
struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, octets: &[u8]) {
        for octet in octets {
            self.write_u64(self.0.rotate_left(8) ^ u64::from(*octet));
        }
    }
    fn write_u64(&mut self, window: u64) {
        self.0 = spread(window);
    }
}

#[inline]
fn spread(window: u64) -> u64 {
    let product = window.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    product ^ product >> 32
}

/// Windows and where they belong.
#[derive(Default)]
pub(super) struct Index {
    /// The last place of each window and the number of its places.
    heads: HashMap<u64, (u32, u32), BuildHasherDefault<Spread>>,
    places: Vec<Place>,
    /// One bit for each window, so that most places of a text cost no look into the table.
    bits: Vec<u64>,
    pub(super) has_narrow: bool,
}

impl Index {
    /// Adds a window, unless it is that of a part and leads to enough of them.
    pub(super) fn add(&mut self, window: u64, secret: u32, form: Form, offset: usize) {
        let (head, count) = self.heads.entry(window).or_insert((NONE, 0));
        if matches!(form, Form::Part(_)) && *count >= MOST_PARTS {
            return;
        }
        let Ok(offset) = u32::try_from(offset) else { return };
        let at = u32::try_from(self.places.len()).unwrap_or(NONE);
        self.places.push(Place { secret, form, offset, next: *head });
        (*head, *count) = (at, *count + 1);
    }

    /// Number of places that the window leads to so far.
    pub(super) fn load(&self, window: u64) -> u32 {
        self.heads.get(&window).map_or(0, |(_, count)| *count)
    }

    /// Call after the last `add`.
    pub(super) fn seal(&mut self) {
        let words = (self.heads.len() / 4).next_power_of_two().max(64);
        self.bits = vec![0; words];
        let mask = words * 64 - 1;
        for window in self.heads.keys() {
            let bit = slot(*window, mask);
            self.bits[bit / 64] |= 1 << (bit % 64);
        }
    }

    /// The window may have places; all that have some may.
    #[inline]
    pub(super) fn may_have(&self, window: u64) -> bool {
        let bit = slot(window, self.bits.len().wrapping_mul(64).wrapping_sub(1));
        self.bits.get(bit / 64).is_some_and(|word| word & 1 << (bit % 64) != 0)
    }

    /// The places of a window.
    pub(super) fn find(&self, window: u64) -> impl Iterator<Item = Place> {
        let mut next = self.heads.get(&window).map_or(NONE, |(head, _)| *head);
        std::iter::from_fn(move || {
            let place = *self.places.get(next as usize)?;
            next = place.next;
            Some(place)
        })
    }
}

#[inline]
fn slot(window: u64, mask: usize) -> usize {
    (spread(window) >> 20) as usize & mask
}

/// The octet as it is compared: base64 and base64url, and blanks and the `+` of forms, look alike.
#[inline]
pub(super) fn fold(octet: u8) -> u8 {
    const FOLDED: [u8; 256] = {
        let mut table = [0; 256];
        let mut octet = 0;
        while octet < 256 {
            table[octet] = octet as u8;
            octet += 1;
        }
        (table[b'+' as usize], table[b'-' as usize]) = (b' ', b' ');
        table[b'/' as usize] = b'_';
        table
    };
    FOLDED[usize::from(octet)]
}

/// The folded octets, the last one lowest.
pub(super) fn window(octets: &[u8]) -> u64 {
    octets.iter().fold(0, |window, octet| window << 8 | u64::from(fold(*octet)))
}

/// Key of a narrow window, apart from those of wide ones.
#[inline]
pub(super) fn narrow(window: u64) -> u64 {
    window & 0xffff_ffff | 0xff00_0000_0000_0000
}

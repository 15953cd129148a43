//! The colours of the page against each other, by the measure of WCAG 2.2 §1.4.3 and §1.4.11.

use std::collections::BTreeMap;

const STYLE: &str = include_str!("../../src/report/html/style.css");

/// Texts and the grounds they stand on.
const TEXTS: [(&str, &[&str]); 9] = [
    (
        "fg",
        &[
            "bg",
            "panel",
            "code",
            "ok-tint",
            "bad-tint",
            "warn-tint",
            "unsure-tint",
            "info-tint",
            "idle-tint",
        ],
    ),
    ("soft", &["bg", "panel", "code", "bad-tint", "warn-tint", "idle-tint"]),
    ("link", &["bg", "panel", "bad-tint", "warn-tint"]),
    ("ok", &["bg", "panel", "ok-tint"]),
    ("bad", &["bg", "panel", "bad-tint"]),
    ("warn", &["bg", "panel", "warn-tint"]),
    ("unsure", &["bg", "panel", "unsure-tint"]),
    ("info", &["bg", "panel", "info-tint"]),
    ("idle", &["bg", "panel", "idle-tint"]),
];

/// Borders of controls, bars, and the ring of the focus.
const SHAPES: [(&str, &[&str]); 2] =
    [("edge", &["bg", "panel", "idle-tint"]), ("link", &["bg", "panel"])];

/// Colours by name, light and dark.
fn palette() -> BTreeMap<&'static str, [f64; 2]> {
    let declared = STYLE.lines().filter_map(|line| {
        let (name, value) = line.trim().strip_prefix("--")?.split_once(": light-dark(")?;
        let (light, dark) = value.trim_end_matches(");").split_once(", ")?;
        Some((name, [luminance(light), luminance(dark)]))
    });
    declared.collect()
}

/// Relative luminance of `#rrggbb`.
fn luminance(colour: &str) -> f64 {
    let channel = |at: usize| {
        let value = f64::from(u8::from_str_radix(&colour[at..at + 2], 16).unwrap()) / 255.0;
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
}

fn contrast(a: f64, b: f64) -> f64 {
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[test]
fn the_measure_is_that_of_wcag() {
    assert!((contrast(luminance("#000000"), luminance("#ffffff")) - 21.0).abs() < 1e-9);
    assert!((contrast(luminance("#767676"), luminance("#ffffff")) - 4.54).abs() < 0.01);
}

#[test]
fn texts_and_shapes_stand_out_in_light_and_dark() {
    let palette = palette();
    for (pairs, least) in [(&TEXTS[..], 4.5), (&SHAPES[..], 3.0)] {
        for (front, grounds) in pairs {
            for ground in *grounds {
                for (at, scheme) in ["light", "dark"].iter().enumerate() {
                    let found = contrast(palette[front][at], palette[ground][at]);
                    assert!(found >= least, "{front} on {ground}, {scheme}: {found:.2}");
                }
            }
        }
    }
}

#[test]
fn every_colour_is_of_the_palette_and_every_one_is_measured() {
    let palette = palette();
    let named: Vec<&str> = TEXTS
        .iter()
        .chain(&SHAPES)
        .flat_map(|(front, grounds)| std::iter::once(front).chain(*grounds))
        .copied()
        .collect();
    // A hairline between parts carries no meaning.
    assert!(palette.keys().all(|name| named.contains(name) || *name == "line"));
    let colours = STYLE.lines().filter(|line| line.contains('#') && line.contains(": #"));
    assert_eq!(colours.count(), 0);
}

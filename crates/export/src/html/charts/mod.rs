//! Charts as SVG in the page: drawn by plotters, coloured by the page's style.
//!
//! Every colour here is one that `page.css` knows and gives another value in the dark; without the style they are those of a light
//! page. No font is measured: labels have room. What a chart shows stands in a table too, for those who cannot see it.

mod delays;
mod heat;
mod rates;
mod timeline;

use std::io;

use maud::{Markup, PreEscaped, html};
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

pub(super) use delays::{any_delay, delays};
pub(super) use heat::heat;
pub(super) use rates::rates;
pub(super) use timeline::timeline;

use crate::Result;

const INK: RGBColor = RGBColor(0x1D, 0x23, 0x29);
const MUTED: RGBColor = RGBColor(0x57, 0x60, 0x6A);
const LINE: RGBColor = RGBColor(0xD5, 0xDA, 0xE0);
const PANEL: RGBColor = RGBColor(0xF6, 0xF7, 0xF8);
const DELIVERED: RGBColor = RGBColor(0x7F, 0xA6, 0xCF);
const SOFT: RGBColor = RGBColor(0xC7, 0x77, 0x00);
const HARD: RGBColor = RGBColor(0xB3, 0x26, 0x1E);

/// Plotters writes a font's size divided by this.
const PLOTTERS_EM: f64 = 1.24;

/// Where a text stands to its point.
#[derive(Clone, Copy)]
enum Side {
    Left,
    Middle,
    Right,
}

/// A drawing in pixels.
struct Canvas<'a> {
    area: DrawingArea<SVGBackend<'a>, Shift>,
}

impl Canvas<'_> {
    fn rect(&self, from: (i32, i32), to: (i32, i32), color: RGBColor) -> io::Result<()> {
        self.area.draw(&Rectangle::new([from, to], color.filled())).map_err(io::Error::other)
    }

    fn line(&self, from: (i32, i32), to: (i32, i32), color: RGBColor, width: u32) -> io::Result<()> {
        self.area.draw(&PathElement::new([from, to], color.stroke_width(width))).map_err(io::Error::other)
    }

    fn dot(&self, at: (i32, i32), color: RGBColor) -> io::Result<()> {
        self.area.draw(&Circle::new(at, 4, color.filled())).map_err(io::Error::other)
    }

    /// A text, its side at the point, its middle at the point's height.
    fn text(&self, text: &str, at: (i32, i32), side: Side, color: RGBColor) -> io::Result<()> {
        let side = match side {
            Side::Left => HPos::Left,
            Side::Middle => HPos::Center,
            Side::Right => HPos::Right,
        };
        let style =
            TextStyle::from(("sans-serif", 12.0 * PLOTTERS_EM).into_font()).color(&color).pos(Pos::new(side, VPos::Center));
        self.area.draw(&Text::new(text.to_owned(), at, style)).map_err(io::Error::other)
    }
}

/// Draws a picture of this size. `label` says what it is to those who cannot see it.
fn svg(size: (i32, i32), label: &str, draw: impl FnOnce(&Canvas<'_>) -> io::Result<()>) -> Result<Markup> {
    let mut drawn = String::new();
    {
        let backend = SVGBackend::with_string(&mut drawn, (size.0.unsigned_abs(), size.1.unsigned_abs()));
        let canvas = Canvas { area: backend.into_drawing_area() };
        draw(&canvas)?;
        canvas.area.present().map_err(io::Error::other)?;
    }
    // Its own frame gives a size in pixels; ours fits the page and has a name. Half of what plotters writes says what is the default.
    let inside = drawn.find('>').map_or("", |end| drawn[end + 1..].trim_end().trim_end_matches("</svg>"));
    let inside = inside.replace(" opacity=\"1\"", "").replace(" stroke=\"none\"", "").replace(" font-family=\"sans-serif\"", "");
    let view_box = format!("0 0 {} {}", size.0, size.1);
    Ok(html! {
        svg xmlns="http://www.w3.org/2000/svg" viewBox=(view_box) width=(size.0) height=(size.1) role="img" aria-label=(label) {
            (PreEscaped(inside))
        }
    })
}

/// A picture that can be pushed aside where the screen is narrow, with its caption.
fn figure(picture: &Markup, label: &str, caption: &Markup) -> Markup {
    html! {
        figure {
            div.scroll tabindex="0" role="region" aria-label=(label) { (picture) }
            figcaption { (caption) }
        }
    }
}

/// A round number at or above `most`, and how many parts an axis up to it has.
fn axis(most: i64) -> (i64, i64) {
    // Counts have no halves: small axes have other steps.
    let small = [(2, 2), (3, 3), (4, 4), (5, 5), (6, 3), (8, 4), (10, 5)];
    if let Some(&found) = small.iter().find(|(top, _)| *top >= most) {
        return found;
    }
    let mut unit = 1i64;
    loop {
        for (step, parts) in [(12, 4), (15, 3), (20, 4), (25, 5), (30, 3), (40, 4), (50, 5), (60, 3), (80, 4), (100, 5)] {
            let top = unit.saturating_mul(step);
            if top >= most {
                return (top, parts);
            }
        }
        unit = unit.saturating_mul(10);
    }
}

/// Where `value` of `of` lies on `length` pixels.
fn scaled(value: i64, of: i64, length: i32) -> i32 {
    if of <= 0 {
        return 0;
    }
    (value as f64 / of as f64 * f64::from(length)).round() as i32
}

/// A text of at most so many characters.
pub(super) fn short(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_ends_at_a_round_number() {
        for (most, top) in [(0, 2), (1, 2), (3, 3), (7, 8), (9, 10), (11, 12), (41, 50), (99, 100), (12_345, 15_000)] {
            assert_eq!(axis(most).0, top, "{most}");
        }
        assert!(axis(i64::MAX).0 > 0);
    }

    #[test]
    fn a_label_stays_text() {
        let drawn = svg((10, 10), "\"><script>", |canvas| canvas.text("<script>&", (1, 1), Side::Left, INK)).unwrap().0;
        assert!(!drawn.contains("<script"), "{drawn}");
    }
}

//! Draws the curves of a bench: lines over two axes, as SVG, legible in light and dark.
//!
//! Responsible for how they look and where they go: `target/bench`, and with `--docs` `docs/performance` too. What is drawn, the
//! rows know.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// One picture.
pub(crate) struct Picture<'a> {
    /// The file's name without its ending.
    pub(crate) name: &'a str,
    /// Stands above it.
    pub(crate) title: &'a str,
    pub(crate) across: Axis<'a>,
    pub(crate) up: Axis<'a>,
    /// What each line is called, and its points.
    pub(crate) lines: Vec<(String, Vec<(f64, f64)>)>,
}

/// One axis. Points are given in its own units, whatever is written at it.
pub(crate) struct Axis<'a> {
    pub(crate) title: &'a str,
    pub(crate) from: f64,
    pub(crate) to: f64,
    /// What is written at a value.
    pub(crate) words: fn(f64) -> String,
}

const SIZE: (u32, u32) = (880, 440);
/// Heights of the title and of a row of names, and where the names begin, in pixels.
const TITLE: i32 = 40;
const ROW: i32 = 22;
const KEY_FROM: i32 = 80;
/// About the width of a letter of the names.
const LETTER: i32 = 7;
const GROUND: RGBColor = RGBColor(255, 255, 255);
const INK: RGBColor = RGBColor(31, 35, 40);
const GRID: RGBColor = RGBColor(223, 227, 232);
const COLOURS: [RGBColor; 6] = [
    RGBColor(110, 119, 129),
    RGBColor(9, 105, 218),
    RGBColor(130, 80, 223),
    RGBColor(188, 76, 0),
    RGBColor(26, 127, 55),
    RGBColor(191, 57, 137),
];
/// The same colours on a dark screen.
const DARK: [(RGBColor, &str); 9] = [
    (GROUND, "#0d1117"),
    (INK, "#e6edf3"),
    (GRID, "#30363d"),
    (COLOURS[0], "#9198a1"),
    (COLOURS[1], "#58a6ff"),
    (COLOURS[2], "#bc8cff"),
    (COLOURS[3], "#f0883e"),
    (COLOURS[4], "#56d364"),
    (COLOURS[5], "#f778ba"),
];

fn words(size: u32) -> TextStyle<'static> {
    ("sans-serif", f64::from(size) * 1.24).into_font().color(&INK)
}

impl Picture<'_> {
    /// Draws and writes it.
    pub(crate) fn write(&self) {
        let mut svg = String::new();
        self.draw(&mut svg).unwrap();
        let svg = for_both_themes(&svg);
        for folder in super::table::folders() {
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(folder.join(format!("{}.svg", self.name)), &svg).unwrap();
        }
    }

    fn draw(&self, svg: &mut String) -> Result<(), Box<dyn std::error::Error>> {
        let root = SVGBackend::with_string(svg, SIZE).into_drawing_area();
        root.fill(&GROUND)?;
        let key = self.key();
        let rows = key.last().map_or(0, |(_, row)| row + 1);
        // What the lines are called stands above them: inside of the picture it would hide one.
        let (head, body) = root.split_vertically(TITLE + rows * ROW);
        let (middle, top) = (Pos::new(HPos::Center, VPos::Top), Pos::new(HPos::Left, VPos::Center));
        head.draw(&Text::new(self.title, ((SIZE.0 / 2) as i32, 12), words(17).pos(middle)))?;
        for ((x, row), ((name, _), colour)) in key.into_iter().zip(self.lines.iter().zip(COLOURS)) {
            let y = TITLE + row * ROW + ROW / 2;
            head.draw(&PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(3)))?;
            head.draw(&Text::new(name.as_str(), (x + 25, y), words(13).pos(top)))?;
        }
        let (across, up) = (self.across.from..self.across.to, self.up.from..self.up.to);
        let mut chart = ChartBuilder::on(&body);
        let chart = chart.margin(14).x_label_area_size(44).y_label_area_size(64);
        let mut chart = chart.build_cartesian_2d(across, up)?;
        let mesh = &mut chart.configure_mesh();
        mesh.axis_style(INK).bold_line_style(GRID).light_line_style(TRANSPARENT).label_style(words(13));
        mesh.x_desc(self.across.title).y_desc(self.up.title).axis_desc_style(words(13));
        let (at_x, at_y) = (self.across.words, self.up.words);
        mesh.x_label_formatter(&|value| at_x(*value)).y_label_formatter(&|value| at_y(*value)).draw()?;
        for ((_, points), colour) in self.lines.iter().zip(COLOURS) {
            let line = LineSeries::new(points.iter().copied(), colour.stroke_width(2)).point_size(self.dots(points));
            chart.draw_series(line)?;
        }
        root.present()?;
        Ok(())
    }

    /// Where each line's name begins, and in which row.
    fn key(&self) -> Vec<(i32, i32)> {
        let (mut x, mut row) = (KEY_FROM, 0);
        let place = |(name, _): &(String, Vec<(f64, f64)>)| {
            let width = 50 + LETTER * name.chars().count() as i32;
            if x > KEY_FROM && x + width > SIZE.0 as i32 {
                (x, row) = (KEY_FROM, row + 1);
            }
            x += width;
            (x - width, row)
        };
        self.lines.iter().map(place).collect()
    }

    /// Few measurements are shown as what they are.
    fn dots(&self, points: &[(f64, f64)]) -> u32 {
        if points.len() < 30 { 3 } else { 0 }
    }
}

/// The colours that were drawn are those of a light screen; a style changes them where the screen is dark.
fn for_both_themes(svg: &str) -> String {
    let mut style = String::from("<style>@media (prefers-color-scheme: dark) {");
    for (RGBColor(red, green, blue), dark) in DARK {
        let light = format!("#{red:02X}{green:02X}{blue:02X}");
        style.push_str(&format!(" [fill=\"{light}\"] {{ fill: {dark} }} [stroke=\"{light}\"] {{ stroke: {dark} }}"));
    }
    style.push_str(" }</style>");
    let head = svg.find('>').map_or(0, |end| end + 1);
    format!("{}\n{style}{}", &svg[..head], &svg[head..])
}

/// Plain figures.
pub(crate) fn plain(value: f64) -> String {
    format!("{value:.0}")
}

/// Of an axis of logarithms: the powers of ten.
pub(crate) fn power(value: f64) -> String {
    if (value - value.round()).abs() > 1e-6 {
        return String::new();
    }
    match value.round() as i32 {
        6.. => format!("{} M", 10_f64.powf(value - 6.0).round()),
        3..6 => format!("{} k", 10_f64.powf(value - 3.0).round()),
        0..3 => format!("{}", 10_f64.powf(value).round()),
        _ => format!("{}", 10_f64.powf(value)),
    }
}

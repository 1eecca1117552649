//! Charts: inline SVG for the page, PNG for mail programs that show no SVG; each with alternative text.
//!
//! The font is part of the program, so a machine without fonts draws the same bytes.
//!
//! # Example
//! ```
//! let data: report::ReportData = serde_json::from_str(include_str!("../examples/sample.json")).unwrap();
//! let charts = report::chart::Charts::draw(&data, &report::Locale::default()).unwrap();
//! let bankroll = charts.bankroll.unwrap();
//! assert!(bankroll.svg.starts_with("<svg") && bankroll.png.starts_with(b"\x89PNG"));
//! assert!(bankroll.alt.starts_with("Bankroll by day"));
//! ```

pub(crate) mod bankroll;
pub(crate) mod distribution;
pub(crate) mod gaps;
pub(crate) mod learning;
pub(crate) mod neighbourhood;
pub(crate) mod prices;
pub(crate) mod reliability;
pub mod sweep;

use std::{error::Error, sync::LazyLock};

use plotters::{coord::Shift, prelude::*};

use crate::{Locale, input::ReportData};

/// Width in CSS pixels; the sheet's inner width.
const WIDTH: u32 = 592;
/// Pixels of the PNG per CSS pixel, for sharp screens.
const PNG_SCALE: u32 = 2;

pub(crate) const ACCENT: RGBColor = RGBColor(0x0f, 0x5e, 0x6b);
pub(crate) const BAND: RGBColor = RGBColor(0xd5, 0xe5, 0xe6);
pub(crate) const RULE: RGBColor = RGBColor(0xe3, 0xe0, 0xd8);
pub(crate) const MUTED: RGBColor = RGBColor(0x5c, 0x61, 0x68);
/// Between the rule and the muted: a bar or a line that stands behind another.
pub(crate) const QUIET: RGBColor = RGBColor(0x8a, 0x85, 0x77);

/// A chart could not be drawn.
#[derive(Debug, thiserror::Error)]
#[error("cannot draw the {chart} chart")]
pub struct ChartError {
    chart: &'static str,
    #[source]
    source: Box<dyn Error + Send + Sync>,
}

/// One picture in both forms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chart {
    /// Name by which the mail refers to the attachment.
    pub content_id: &'static str,
    /// What the picture says, in words.
    pub alt: String,
    /// For the page: one `<svg>` element without a prologue.
    pub svg: String,
    /// For the mail: the same at twice the size on white.
    pub png: Vec<u8>,
}

/// The charts of one report; each is there only when its facts are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Charts {
    /// Bankroll by day with the expected band; from two days on.
    pub bankroll: Option<Chart>,
    /// Forecast against observed share; from one bin on.
    pub reliability: Option<Chart>,
}

impl Charts {
    /// Draws what `data` has facts for, with its numbers and days in the way of `locale`.
    pub fn draw(data: &ReportData, locale: &Locale) -> Result<Self, ChartError> {
        Ok(Self {
            bankroll: bankroll::chart(&data.bankroll_curve, &data.currency, locale)?,
            reliability: reliability::chart(&data.reliability, locale)?,
        })
    }

    /// Returns the charts that there are, in the order of the report.
    pub fn iter(&self) -> impl Iterator<Item = &Chart> {
        self.bankroll.iter().chain(self.reliability.iter())
    }
}

/// A thing that can be drawn at any scale on any backend.
trait Drawing {
    const NAME: &'static str;
    const HEIGHT: u32;

    fn draw<DB: DrawingBackend>(
        &self,
        area: &DrawingArea<DB, Shift>,
        scale: u32,
    ) -> Result<(), DrawError<DB>>;
}

type DrawError<DB> = DrawingAreaErrorKind<<DB as DrawingBackend>::ErrorType>;

fn render<D: Drawing>(drawing: &D, content_id: &'static str, alt: String) -> Result<Chart, ChartError> {
    let failed = |source| ChartError { chart: D::NAME, source };
    LazyLock::force(&FONT).as_ref().map_err(|message| failed((*message).into()))?;
    let svg = svg(drawing, &alt).map_err(failed)?;
    let png = png(drawing).map_err(failed)?;
    Ok(Chart { content_id, alt, svg, png })
}

/// One picture for a page alone; nothing is drawn as a bitmap.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Picture {
    /// What the picture says, in words.
    pub(crate) alt: String,
    /// One `<svg>` element without a prologue.
    pub(crate) svg: String,
}

fn picture<D: Drawing>(drawing: &D, alt: String) -> Result<Picture, ChartError> {
    let failed = |source| ChartError { chart: D::NAME, source };
    LazyLock::force(&FONT).as_ref().map_err(|message| failed((*message).into()))?;
    let svg = svg(drawing, &alt).map_err(failed)?;
    Ok(Picture { alt, svg })
}

static FONT: LazyLock<Result<(), &'static str>> = LazyLock::new(|| {
    plotters::style::register_font("sans-serif", FontStyle::Normal, dejavu::sans::regular())
        .map_err(|_| "the embedded font cannot be read")
});

fn svg<D: Drawing>(drawing: &D, alt: &str) -> Result<String, Box<dyn Error + Send + Sync>> {
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, (WIDTH, D::HEIGHT)).into_drawing_area();
        drawing.draw(&area, 1).map_err(|error| error.to_string())?;
        area.present().map_err(|error| error.to_string())?;
    }
    let mut label = Vec::new();
    tera::escape_html(alt, &mut label)?;
    let label = String::from_utf8(label)?;
    Ok(text
        .replacen("<svg", &format!(r#"<svg class="chart" role="img" aria-label="{label}""#), 1)
        .trim()
        .to_owned())
}

fn png<D: Drawing>(drawing: &D) -> Result<Vec<u8>, Box<dyn Error + Send + Sync>> {
    let (width, height) = (WIDTH * PNG_SCALE, D::HEIGHT * PNG_SCALE);
    let mut pixels = vec![255; width as usize * height as usize * 3];
    {
        let area = BitMapBackend::with_buffer(&mut pixels, (width, height)).into_drawing_area();
        drawing.draw(&area, PNG_SCALE).map_err(|error| error.to_string())?;
        area.present().map_err(|error| error.to_string())?;
    }
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::High);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&pixels)?;
    writer.finish()?;
    Ok(bytes)
}

fn label_style(scale: u32) -> TextStyle<'static> {
    ("sans-serif", 17 * scale).into_font().color(&MUTED)
}

//! Figures: a table for people, a JSON object a line for scripts.

use std::io::Write as _;
use std::time::Duration;

use serde::Serialize;

/// One figure, beside the raw ceiling of the same run.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Figure {
    pub(crate) name: String,
    pub(crate) value: f64,
    /// What the bare engine reaches at the same; `null` where there is nothing to compare with. For a time, what it
    /// needs.
    pub(crate) ceiling: Option<f64>,
    /// The value over the ceiling.
    pub(crate) ratio: Option<f64>,
    pub(crate) unit: &'static str,
    /// Whether the answers behind the figure were compared with what must have come of it.
    pub(crate) checked: bool,
}

impl Figure {
    pub(crate) fn new(name: impl Into<String>, value: f64, ceiling: Option<f64>, unit: &'static str) -> Self {
        let ratio = ceiling.map(|ceiling| value / ceiling);
        Self { name: name.into(), value, ceiling, ratio, unit, checked: true }
    }

    /// `none` stands for a number that there is not.
    pub(crate) fn columns(&self, none: &str) -> Columns {
        let ceiling = self.ceiling.map_or_else(|| none.to_owned(), written);
        let ratio = self.ratio.map_or_else(|| none.to_owned(), |ratio| format!("{ratio:.2}"));
        Columns { value: written(self.value), ceiling, ratio }
    }
}

/// So many a second.
pub(crate) fn rate(count: u64, took: Duration) -> f64 {
    number(count) / took.as_secs_f64()
}

#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "below 2^53")]
pub(crate) fn number(count: u64) -> f64 {
    count as f64
}

/// Figures on standard output: a line of JSON each, or a table.
pub(crate) fn print(figures: &[Figure], json: bool) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    if json {
        for figure in figures {
            writeln!(out, "{}", serde_json::to_string(figure)?)?;
        }
        return Ok(());
    }
    let width = figures.iter().map(|figure| figure.name.len()).max().unwrap_or_default();
    writeln!(out, "{:<width$} {:>14} {:>14} {:>7}  unit", "", "figure", "ceiling", "ratio")?;
    for figure in figures {
        let Columns { value, ceiling, ratio } = figure.columns("-");
        writeln!(out, "{:<width$} {value:>14} {ceiling:>14} {ratio:>7}  {}", figure.name, figure.unit)?;
    }
    writeln!(out)?;
    Ok(())
}

/// The numbers of a figure, as people read them.
pub(crate) struct Columns {
    pub(crate) value: String,
    pub(crate) ceiling: String,
    pub(crate) ratio: String,
}

/// A number with a comma at each thousand, and two digits behind the point where it is small.
pub(crate) fn written(number: f64) -> String {
    if number.abs() < 1_000.0 {
        return format!("{number:.2}");
    }
    let digits = format!("{number:.0}");
    match digits.strip_prefix('-') {
        Some(digits) => format!("-{}", by_thousands(digits)),
        None => by_thousands(&digits),
    }
}

/// A count with a comma at each thousand.
pub(crate) fn whole(count: usize) -> String {
    by_thousands(&count.to_string())
}

fn by_thousands(digits: &str) -> String {
    let mut whole = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            whole.push(',');
        }
        whole.push(digit);
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_for_people() {
        assert_eq!(written(1_234_567.8), "1,234,568");
        assert_eq!(written(-1_000.0), "-1,000");
        assert_eq!(written(0.256), "0.26");
        assert_eq!((whole(22).as_str(), whole(100_000).as_str()), ("22", "100,000"));
    }

    #[test]
    fn a_figure_carries_its_ratio() {
        let figure = Figure::new("fold", 50.0, Some(200.0), "events/s");
        let json = serde_json::to_string(&figure).unwrap();
        assert_eq!(
            json,
            r#"{"name":"fold","value":50.0,"ceiling":200.0,"ratio":0.25,"unit":"events/s","checked":true}"#
        );
    }
}

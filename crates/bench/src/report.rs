//! Figures: a table for people, a JSON object a line for scripts.

use std::io::Write as _;

use serde::Serialize;

/// One figure, beside the raw ceiling of the same run.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Figure {
    pub(crate) name: String,
    pub(crate) value: f64,
    /// What the bare engine reaches at the same; `null` where there is nothing to compare with.
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
    writeln!(out, "{:<44} {:>14} {:>14} {:>7}  unit", "", "figure", "ceiling", "ratio")?;
    for figure in figures {
        let number = |number: Option<f64>| number.map_or_else(|| "-".to_owned(), written);
        let ratio = figure.ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}"));
        let (value, ceiling) = (written(figure.value), number(figure.ceiling));
        writeln!(out, "{:<44} {value:>14} {ceiling:>14} {ratio:>7}  {}", figure.name, figure.unit)?;
    }
    Ok(())
}

/// A number with a comma at each thousand, and two digits behind the point where it is small.
fn written(number: f64) -> String {
    if number.abs() < 1_000.0 {
        return format!("{number:.2}");
    }
    let digits = format!("{number:.0}");
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits.as_str()), |digits| ("-", digits));
    let mut written = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            written.push(',');
        }
        written.push(digit);
    }
    format!("{sign}{written}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_for_people() {
        assert_eq!(written(1_234_567.8), "1,234,568");
        assert_eq!(written(-1_000.0), "-1,000");
        assert_eq!(written(0.256), "0.26");
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

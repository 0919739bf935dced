//! The table of a bench: name, ours, reference, ratio, budget, pass; and where it and the pictures go.

use std::fmt::Write as _;
use std::path::PathBuf;

use serde_json::json;

/// Between these two stands the table of `docs/performance.md`.
const FIGURES: &str = "<!-- figures of ./dev bench -->";
const FIGURES_END: &str = "<!-- end of the figures -->";

/// See the module.
#[derive(Default)]
pub(crate) struct Table {
    rows: Vec<Row>,
}

/// One figure beside its reference.
pub(crate) struct Row {
    /// What was measured, with the budget's number.
    pub(crate) name: String,
    /// Our figure.
    pub(crate) ours: f64,
    /// The reference's.
    pub(crate) reference: f64,
    /// Of both.
    pub(crate) unit: &'static str,
    /// What the budget is about.
    pub(crate) budget: Budget,
}

/// What a figure must hold.
pub(crate) enum Budget {
    /// Ours is at least this many times the reference.
    TimesReference(f64),
    /// Ours is at most the reference and this much more.
    ReferencePlus(f64),
    /// Ours is at most this many times the reference.
    AtMostTimesReference(f64),
    /// Ours is at most this, whatever the reference.
    Absolute(f64),
}

impl Row {
    fn passes(&self) -> bool {
        match self.budget {
            Budget::TimesReference(times) => self.ours >= times * self.reference,
            Budget::ReferencePlus(more) => self.ours <= self.reference + more,
            Budget::AtMostTimesReference(times) => self.ours <= times * self.reference,
            Budget::Absolute(most) => self.ours <= most,
        }
    }

    fn ratio(&self) -> f64 {
        self.ours / self.reference
    }

    fn budget(&self) -> String {
        match self.budget {
            Budget::TimesReference(times) => format!("≥ {} × reference", short(times)),
            Budget::ReferencePlus(more) => format!("≤ reference + {more} {}", self.unit),
            Budget::AtMostTimesReference(times) => format!("≤ {times} × reference"),
            Budget::Absolute(most) if most.is_infinite() => "told only".to_owned(),
            Budget::Absolute(most) => format!("≤ {most} {}", self.unit),
        }
    }
}

impl Table {
    /// Adds a row and says it.
    pub(crate) fn add(&mut self, row: Row) {
        eprintln!("   {}", line(&row));
        self.rows.push(row);
    }

    /// Whether every budget holds.
    pub(crate) fn all_passed(&self) -> bool {
        self.rows.iter().all(Row::passes)
    }

    /// Writes both forms below `target/bench`.
    pub(crate) fn write(&self) {
        let folder = folder();
        std::fs::create_dir_all(&folder).unwrap();
        let mut markdown =
            String::from("| what | ours | reference | ratio | budget | holds |\n|---|---|---|---|---|---|\n");
        for row in &self.rows {
            markdown.push_str(&line(row));
            markdown.push('\n');
        }
        let rows: Vec<_> = self
            .rows
            .iter()
            .map(|row| {
                json!({"name": row.name, "ours": row.ours, "reference": row.reference, "unit": row.unit,
                       "ratio": row.ratio(), "budget": row.budget(), "pass": row.passes()})
            })
            .collect();
        std::fs::write(folder.join("budgets.md"), &markdown).unwrap();
        if is_for_docs() {
            self.write_into_docs();
        }
        std::fs::write(folder.join("budgets.json"), serde_json::to_vec_pretty(&rows).unwrap()).unwrap();
        println!("{markdown}");
        println!("{} passed, {} failed", self.rows.iter().filter(|row| row.passes()).count(), self.missed());
    }

    /// Puts the rows into the table of `docs/performance.md`, each in the place of the one that has its name.
    fn write_into_docs(&self) {
        let page = outrigger_tests::project().join("docs/performance.md");
        let text = std::fs::read_to_string(&page).unwrap();
        let (before, rest) = text.split_once(FIGURES).unwrap();
        let (table, after) = rest.split_once(FIGURES_END).unwrap();
        let mut lines: Vec<String> = table.trim().lines().map(str::to_owned).collect();
        for row in &self.rows {
            let begin = format!("| {} |", row.name);
            match lines.iter_mut().find(|line| line.starts_with(&begin)) {
                Some(known) => *known = line(row),
                None => lines.push(line(row)),
            }
        }
        let table = lines.join("\n");
        std::fs::write(&page, format!("{before}{FIGURES}\n\n{table}\n\n{FIGURES_END}{after}")).unwrap();
    }

    fn missed(&self) -> usize {
        self.rows.iter().filter(|row| !row.passes()).count()
    }
}

fn line(row: &Row) -> String {
    let mut text = String::new();
    let _ = write!(
        text,
        "| {} | {} {} | {} {} | {} | {} | {} |",
        row.name,
        figure(row.ours),
        row.unit,
        figure(row.reference),
        row.unit,
        if row.reference == 0.0 { "–".to_owned() } else { format!("{:.2}", row.ratio()) },
        row.budget(),
        if row.passes() { "yes" } else { "**no**" }
    );
    text
}

/// At most three digits behind the point.
fn short(value: f64) -> String {
    format!("{}", (value * 1000.0).round() / 1000.0)
}

/// Small figures with more digits.
fn figure(value: f64) -> String {
    if value.abs() < 1.0 { format!("{value:.3}") } else { format!("{value:.1}") }
}

/// The middle one of several measurements.
pub(crate) fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

fn folder() -> PathBuf {
    outrigger_tests::project().join("target/bench")
}

/// Where the pictures go.
pub(crate) fn folders() -> Vec<PathBuf> {
    let docs = is_for_docs().then(|| outrigger_tests::project().join("docs/performance"));
    std::iter::once(folder()).chain(docs).collect()
}

fn is_for_docs() -> bool {
    std::env::args().any(|arg| arg == "--docs")
}

//! The table of a bench: name, ours, reference, ratio, budget, pass; and where it and the pictures go. When everything was measured
//! several times, the later figures stand beside the first ones, which shows the noise.

use std::fmt::Write as _;
use std::path::PathBuf;

use serde_json::json;

use crate::options;

/// Between these two stands the table of `docs/performance.md`.
const FIGURES: &str = "<!-- figures of ./dev bench -->";
const FIGURES_END: &str = "<!-- end of the figures -->";
/// And between these the figures of all runs, when there were several.
const AGAIN: &str = "<!-- the same again -->";
const AGAIN_END: &str = "<!-- end of the same again -->";

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

    /// Nothing where there is no reference.
    fn ratio(&self) -> Option<f64> {
        (self.reference != 0.0).then(|| self.ours / self.reference)
    }

    fn budget(&self) -> String {
        match self.budget {
            Budget::TimesReference(times) => format!("≥ {} × reference", short(times)),
            Budget::ReferencePlus(more) => format!("≤ reference + {} {}", short(more), self.unit),
            Budget::AtMostTimesReference(times) => format!("≤ {} × reference", short(times)),
            Budget::Absolute(most) if most.is_infinite() => "told only".to_owned(),
            Budget::Absolute(most) => format!("≤ {} {}", short(most), self.unit),
        }
    }

    /// Its figure, and the reference where it has one.
    fn beside_its_reference(&self) -> String {
        let ours = format!("{} {}", figure(self.ours), self.unit);
        self.ratio().map_or(ours.clone(), |_| format!("{ours} ({} {})", figure(self.reference), self.unit))
    }

    /// What the table says of holding it: nothing of what has no budget.
    fn holds(&self) -> &'static str {
        match self.budget {
            Budget::Absolute(most) if most.is_infinite() => "–",
            _ if self.passes() => "yes",
            _ => "**no**",
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

    /// Writes both forms below `target/bench`, with the same rows of further runs.
    pub(crate) fn write(&self, further: &[Self]) {
        let folder = folder();
        std::fs::create_dir_all(&folder).unwrap();
        let mut markdown = sizes();
        markdown.push_str("| what | ours | reference | ratio | budget | holds |\n|---|---|---|---|---|---|\n");
        for row in &self.rows {
            markdown.push_str(&line(row));
            markdown.push('\n');
        }
        if !further.is_empty() {
            let _ = write!(markdown, "\nThe same again, to show the noise:\n\n{}", self.noise(further));
        }
        let runs: Vec<_> = std::iter::once(self).chain(further).map(Self::json).collect();
        let json = json!({"quick": options::is_quick(), "mib": options::mib(), "runs": runs});
        std::fs::write(folder.join("budgets.md"), &markdown).unwrap();
        std::fs::write(folder.join("budgets.json"), serde_json::to_vec_pretty(&json).unwrap()).unwrap();
        if is_for_docs() {
            self.write_into_docs();
            if !further.is_empty() {
                put_into_docs(AGAIN, AGAIN_END, &self.noise(further));
            }
        }
        println!("{markdown}");
        println!("{} passed, {} failed", self.rows.len() - self.missed(), self.missed());
    }

    fn json(&self) -> serde_json::Value {
        let one = |row: &Row| {
            json!({"name": row.name, "ours": row.ours, "reference": row.reference, "unit": row.unit,
                   "ratio": row.ratio(), "budget": row.budget(), "pass": row.passes()})
        };
        self.rows.iter().map(one).collect()
    }

    /// Each figure of the first run beside those of the others, with their references, the widest distance between ours, and whether
    /// each run holds the budget.
    fn noise(&self, further: &[Self]) -> String {
        let numbers: String = (1..further.len() + 2).map(|run| format!(" run {run} (reference) |")).collect();
        let lines = "---|".repeat(further.len() + 4);
        let mut text = format!("| what |{numbers} apart | holds |\n|{lines}\n");
        for row in &self.rows {
            let same = |table: &'_ Self| table.rows.iter().position(|other| other.name == row.name);
            let others = further.iter().filter_map(|table| same(table).map(|at| &table.rows[at]));
            let all: Vec<&Row> = std::iter::once(row).chain(others).collect();
            let least = all.iter().map(|one| one.ours).fold(f64::MAX, f64::min);
            let most = all.iter().map(|one| one.ours).fold(f64::MIN, f64::max);
            let apart = if least > 0.0 { format!("{:.0} %", 100.0 * (most / least - 1.0)) } else { "–".to_owned() };
            let figures: Vec<String> = all.iter().map(|one| one.beside_its_reference()).collect();
            let holds = match row.holds() {
                "–" => "–".to_owned(),
                _ => all.iter().map(|one| one.holds().trim_matches('*')).collect::<Vec<_>>().join(", "),
            };
            let _ = writeln!(text, "| {} | {} | {apart} | {holds} |", row.name, figures.join(" | "));
        }
        text
    }

    /// Puts the rows into the table of `docs/performance.md`, each in the place of the one that has its name.
    fn write_into_docs(&self) {
        let text = std::fs::read_to_string(page()).unwrap();
        let table = text.split_once(FIGURES).and_then(|(_, rest)| rest.split_once(FIGURES_END)).unwrap().0;
        let mut lines: Vec<String> = table.trim().lines().map(str::to_owned).collect();
        for row in &self.rows {
            let begin = format!("| {} |", row.name);
            match lines.iter_mut().find(|line| line.starts_with(&begin)) {
                Some(known) => *known = line(row),
                None => lines.push(line(row)),
            }
        }
        put_into_docs(FIGURES, FIGURES_END, &lines.join("\n"));
    }

    fn missed(&self) -> usize {
        self.rows.iter().filter(|row| !row.passes()).count()
    }
}

fn page() -> PathBuf {
    outrigger_tests::project().join("docs/performance.md")
}

/// Puts a text between two marks of the page, in place of what stood there.
fn put_into_docs(begin: &str, end: &str, text: &str) {
    let all = std::fs::read_to_string(page()).unwrap();
    let (before, rest) = all.split_once(begin).unwrap();
    let (_, after) = rest.split_once(end).unwrap();
    std::fs::write(page(), format!("{before}{begin}\n\n{}\n\n{end}{after}", text.trim())).unwrap();
}

fn line(row: &Row) -> String {
    let reference = row.ratio().map_or("–".to_owned(), |_| format!("{} {}", figure(row.reference), row.unit));
    let ratio = row.ratio().map_or("–".to_owned(), |ratio| format!("{ratio:.2}"));
    let ours = format!("{} {}", figure(row.ours), row.unit);
    format!("| {} | {ours} | {reference} | {ratio} | {} | {} |", row.name, row.budget(), row.holds())
}

/// What stands above the table, when it is not of the usual sizes.
fn sizes() -> String {
    if options::is_quick() {
        format!(
            "A quick look, with small sizes ({} MiB) and without the rows that take minutes. Not the budgets' own figures.\n\n",
            options::mib()
        )
    } else {
        String::new()
    }
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

/// A quick look is not what the page promises.
fn is_for_docs() -> bool {
    options::has("--docs") && !options::is_quick()
}

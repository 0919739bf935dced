//! In which colours? None, unless stdout is a terminal that wants them.

use std::io::IsTerminal;

use anstyle::{AnsiColor, Style};

/// The few looks that a transcript needs.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Palette {
    pub(crate) dim: Style,
    pub(crate) strong: Style,
    pub(crate) good: Style,
    pub(crate) bad: Style,
    pub(crate) asks: Style,
}

impl Palette {
    /// For stdout as it is: plain when it is no terminal, `NO_COLOR` is set, or the terminal is dumb.
    pub(crate) fn of_stdout() -> Self {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
        if !std::io::stdout().is_terminal() || set("NO_COLOR") || dumb {
            return Self::default();
        }
        Self {
            dim: Style::new().dimmed(),
            strong: Style::new().bold(),
            good: Style::new().fg_color(Some(AnsiColor::Green.into())),
            bad: Style::new().fg_color(Some(AnsiColor::Red.into())),
            asks: Style::new().fg_color(Some(AnsiColor::Yellow.into())),
        }
    }
}

/// The text in a style, which ends with it.
pub(crate) fn in_style(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

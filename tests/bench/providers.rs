//! Issue 4: what Outrigger adds to each agent's CLI, beside the CLI itself in its own headless mode: the time to the first event and
//! to the first words, and the memory while a command runs. The same prompt, the same stand-in of the vendor, the same account.
//!
//! `./dev bench providers` measures claude and codex, with `--clis all` every agent that runs without an account (see
//! `tests/real_clis/pins.mjs`). One more table, with a line for each provider, goes to `target/bench/providers.md`.
//! `OUTRIGGER_BENCH_RUNS` is the number of starts of each (5); both sides start in turn, and the middle one counts.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use outrigger_tests::{Home, RealClis, Standin, Survivor, project};

use crate::memory;
use crate::table::{Budget, Row, Table, median};

/// How long to wait for anything.
const PATIENCE: Duration = Duration::from_secs(120);
const DAY_MS: f64 = 86_400_000.0;
/// How long both sides are left alone with their command before they are weighed.
const SETTLE: Duration = Duration::from_secs(2);

/// An agent's CLI as a person would start it to answer one prompt without a terminal.
struct Bare {
    provider: &'static str,
    /// The provider whose CLI it is, where the provider's own program has no headless mode.
    cli: &'static str,
    /// Up to the prompt.
    args: &'static [&'static str],
}

const CLAUDE_ARGS: &[&str] = &[
    "-p",
    "--output-format",
    "stream-json",
    "--verbose",
    "--include-partial-messages",
    "--permission-mode",
    "bypassPermissions",
];
const CODEX_ARGS: &[&str] = &["exec", "--json", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox"];

/// Driven always.
const USUAL: [Bare; 3] = [
    Bare { provider: "claude", cli: "claude", args: CLAUDE_ARGS },
    Bare { provider: "claude-direct", cli: "claude", args: CLAUDE_ARGS },
    Bare { provider: "codex", cli: "codex", args: CODEX_ARGS },
];

/// Driven with `--clis all`.
const FURTHER: [Bare; 5] = [
    Bare { provider: "opencode", cli: "opencode", args: &["run", "--format", "json", "--auto"] },
    Bare {
        provider: "gemini",
        cli: "gemini",
        args: &["-o", "stream-json", "--skip-trust", "--approval-mode", "yolo", "-p"],
    },
    Bare { provider: "qwen", cli: "qwen", args: &["-o", "stream-json", "--approval-mode", "yolo", "-p"] },
    Bare { provider: "claude-acp", cli: "claude", args: CLAUDE_ARGS },
    Bare { provider: "codex-acp", cli: "codex", args: CODEX_ARGS },
];

/// Figures of one side, or of both.
#[derive(Default)]
struct Figures {
    first_event_ms: Vec<f64>,
    first_words_ms: Vec<f64>,
    /// Of all its processes.
    memory_mib: f64,
    /// Of those that Outrigger adds: keeper and runner.
    added_mib: f64,
}

/// Measures each provider.
pub(crate) fn measure(table: &mut Table) {
    let all = std::env::args().any(|arg| arg == "all");
    let mut markdown = String::from(
        "| provider | first event: driven | bare | first words: driven | bare | memory: driven | of it keeper and runner | bare |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    for bare in USUAL.iter().chain(FURTHER.iter().filter(|_| all)) {
        let [ours, own] = figures(bare);
        let [event, words] = [&ours.first_event_ms, &ours.first_words_ms].map(|times| median(times.clone()));
        let [own_event, own_words] = [&own.first_event_ms, &own.first_words_ms].map(|times| median(times.clone()));
        let mut row = |what: &str, ours: f64, reference: f64, unit: &'static str| {
            let budget = Budget::Absolute(f64::INFINITY);
            table.add(Row { name: format!("{}: {what}", bare.provider), ours, reference, unit, budget });
        };
        row("first event", event, own_event, "ms");
        row("first words", words, own_words, "ms");
        row("memory in a command (PSS)", ours.memory_mib, own.memory_mib, "MiB");
        row("of it keeper and runner", ours.added_mib, 0.0, "MiB");
        let note = if bare.cli == bare.provider || bare.provider.ends_with("-direct") { "" } else { " \\*" };
        markdown.push_str(&format!(
            "| {}{note} | {event:.0} ms | {own_event:.0} ms | {words:.0} ms | {own_words:.0} ms | {:.0} MiB | {:.0} MiB | {:.0} MiB |\n",
            bare.provider, ours.memory_mib, ours.added_mib, own.memory_mib,
        ));
    }
    markdown.push_str("\n\\* an adapter without a headless mode of its own: bare is the CLI that it wraps\n");
    let folder = project().join("target/bench");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("providers.md"), &markdown).unwrap();
    println!("{markdown}");
}

/// Ours, and the CLI's own.
fn figures(bare: &Bare) -> [Figures; 2] {
    let clis = RealClis::installed();
    let [driven, alone] = [bare.provider.trim_end_matches("-direct"), bare.cli].map(|cli| {
        let home = Home::within(&clis.homes());
        let standin = Standin::start(&[]);
        clis.settle_in(&home, cli, &standin.url());
        Side { home, _standin: standin }
    });
    let mut both = [Figures::default(), Figures::default()];
    // The first start of each asks the login shell, and fills the caches of the CLI.
    driven.answers(driven.outrigger(bare.provider, "SCENARIO:hello"));
    alone.answers(alone.bare(bare, "SCENARIO:hello"));
    for _ in 0..runs() {
        let commands = [driven.outrigger(bare.provider, "SCENARIO:hello"), alone.bare(bare, "SCENARIO:hello")];
        for ((side, command), figures) in [&driven, &alone].into_iter().zip(commands).zip(&mut both) {
            let (event, words) = side.answers(command);
            figures.first_event_ms.push(event);
            figures.first_words_ms.push(words);
        }
    }
    let mut detached = driven.outrigger(bare.provider, "SCENARIO:sleep s=300");
    detached.args(["--detach", "--mode", "bypass"]);
    (both[0].memory_mib, both[0].added_mib) = driven.weighed(detached);
    (both[1].memory_mib, _) = alone.weighed(alone.bare(bare, "SCENARIO:sleep s=300"));
    both
}

/// A home with one agent's account in it.
struct Side {
    home: Home,
    _standin: Standin,
}

impl Side {
    /// `outrigger run` with this provider.
    fn outrigger(&self, provider: &str, prompt: &str) -> Command {
        let mut command = Command::new(memory::program());
        self.home.furnish(&mut command);
        command.env("OUTRIGGER_ROOT", project());
        command.args(["run", "--json", "--provider", provider, "--cwd"]).arg(self.home.workspace()).arg(prompt);
        command
    }

    /// The CLI itself, with the variables that a login shell of this home has.
    fn bare(&self, bare: &Bare, prompt: &str) -> Command {
        let settings = std::fs::read_to_string(self.home.path().join("config/settings.toml")).unwrap();
        let path = settings.lines().find_map(|line| line.strip_prefix(bare.cli)?.trim_start().strip_prefix('='));
        let mut command = Command::new(path.unwrap().trim().trim_matches('"'));
        self.home.furnish(&mut command);
        let mut shell = Command::new("bash");
        self.home.furnish(&mut shell);
        let variables = shell.args(["-lc", "env -0"]).output().unwrap().stdout;
        for variable in String::from_utf8_lossy(&variables).split('\0').filter_map(|variable| variable.split_once('='))
        {
            command.env(variable.0, variable.1);
        }
        command.current_dir(self.home.workspace()).args(bare.args);
        // It puts quotes around an argument with spaces.
        if bare.cli == "opencode" {
            let file = self.home.user_home().join("prompt");
            std::fs::write(&file, prompt).unwrap();
            command.stdin(std::fs::File::open(file).unwrap());
        } else {
            command.arg(prompt).stdin(Stdio::null());
        }
        command
    }

    /// Runs it to its end. Milliseconds to the first thing that the agent's CLI says, and to its first words.
    fn answers(&self, mut command: Command) -> (f64, f64) {
        let (began, at) = (Instant::now(), milliseconds_of_day());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let (mut event, mut words) = (None, None);
        for line in BufReader::new(child.stdout.take().unwrap()).split(b'\n') {
            let line = String::from_utf8_lossy(&line.unwrap()).into_owned();
            let now = began.elapsed().as_secs_f64() * 1000.0;
            event.get_or_insert(now);
            if line.contains("Hello") {
                words.get_or_insert(now);
            }
        }
        child.wait().unwrap();
        let words = words.unwrap_or_else(|| panic!("{command:?} did not answer"));
        // `outrigger` tells of itself first; what its CLI said is in the journal, with the time.
        let event = self.first_of_journal().map_or(event, |event| Some((event - at).rem_euclid(DAY_MS)));
        (event.unwrap_or(words), words)
    }

    /// When the newest session of the home heard its agent for the first time, in milliseconds of the day; `None` without a session.
    fn first_of_journal(&self) -> Option<f64> {
        let journal = Home::journal(self.home.sessions().last()?);
        let event = journal.iter().find(|record| record["line"]["type"] == "agent_event")?;
        let at = event["at"].as_str()?.split_once('T')?.1.trim_end_matches('Z').split(':');
        Some(at.fold(0.0, |sum, part| sum * 60.0 + part.parse::<f64>().unwrap()) * 1000.0)
    }

    /// Starts it, waits until its agent runs a command, and weighs: all processes, and those of Outrigger.
    fn weighed(&self, mut command: Command) -> (f64, f64) {
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let began = Instant::now();
        while !self.home.processes().iter().any(|process| process.command == "sleep 300") {
            assert!(began.elapsed() < PATIENCE, "{command:?} runs no command: {:?}", self.home.processes());
            std::thread::sleep(Duration::from_millis(50));
        }
        std::thread::sleep(SETTLE);
        let processes = self.home.processes();
        let sum = |wanted: &dyn Fn(&&Survivor) -> bool| {
            processes.iter().filter(wanted).map(|process| memory::pss(process.pid)).sum::<f64>()
        };
        let figures = (sum(&|_| true), sum(&|process| is_ours(process)));
        end(child, processes);
        figures
    }
}

fn milliseconds_of_day() -> f64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    (now.as_secs_f64() * 1000.0).rem_euclid(DAY_MS)
}

/// The keeper, and the runner or the driver.
fn is_ours(process: &&Survivor) -> bool {
    let program = std::fs::read_link(format!("/proc/{}/exe", process.pid)).unwrap_or_default();
    let runner = project().join("runners");
    program.file_name().is_some_and(|name| name == "outrigger-keeper")
        || process.command.contains(&*runner.to_string_lossy())
}

fn end(mut child: Child, processes: Vec<Survivor>) {
    for process in processes {
        let _ = Command::new("kill").args(["-KILL", &process.pid.to_string()]).stderr(Stdio::null()).status();
    }
    let _ = child.kill();
    let _ = child.wait();
}

fn runs() -> usize {
    std::env::var("OUTRIGGER_BENCH_RUNS").ok().and_then(|text| text.parse().ok()).unwrap_or(5)
}

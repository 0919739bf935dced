//! What do the processes of the live pods look like to people?
//!
//! One block for each pod: a line that says whose processes they are, the tree with what each process costs, and the sums.

use std::collections::HashMap;

use client::processes::LivePod;
use protocol::processes::{ProcessInfo, ProcessPurpose};

use crate::output::visible_line;
use crate::{ps, span};

/// See the module. `short` holds the pods' short ids in their order; no line is longer than `width` characters.
pub(crate) fn render(pods: &[LivePod], short: &[String], width: usize) -> String {
    let mut lines = Vec::new();
    for (pod, short) in pods.iter().zip(short) {
        block(pod, short, &mut lines);
    }
    if pods.len() > 1 {
        let all: Vec<&ProcessInfo> = pods.iter().flat_map(|pod| &pod.processes.processes).collect();
        lines.push(format!("All {} sessions: {}", pods.len(), sums(&all)));
    }
    lines.iter().map(|line| visible(line, width) + "\n").collect()
}

/// What stands in front of a line stays; a command may hold anything.
fn visible(line: &str, width: usize) -> String {
    let indent = line.len() - line.trim_start().len();
    format!("{}{}", &line[..indent], visible_line(&line[indent..], width.saturating_sub(indent)))
}

fn block(pod: &LivePod, short: &str, lines: &mut Vec<String>) {
    let about = &pod.processes;
    let words = [short, &about.provider, &ps::state(&pod.liveness), &about.title];
    let words: Vec<String> = words.iter().filter(|word| !word.is_empty()).map(|word| visible_line(word, 80)).collect();
    lines.push(words.join("  "));
    if let Some(why) = &pod.silent {
        lines.push(format!("  it does not answer ({why}); these are its keeper's processes by the process table"));
    }
    lines.push(format!("{:>9}  {:>9}  {:>12}  {:>12}  {:<7}  COMMAND", "PID", "MEM", "CPU", "AGE", "PURPOSE"));
    for (process, depth) in with_depths(&about.processes) {
        lines.push(row(process, depth));
    }
    let all: Vec<&ProcessInfo> = about.processes.iter().collect();
    lines.push(format!("  {}", sums(&all)));
    lines.push(String::new());
}

fn row(process: &ProcessInfo, depth: usize) -> String {
    let ProcessInfo { pid, command, rss, cpu_ms, purpose, age_ms, .. } = process;
    let age = age_ms.map_or_else(|| "?".to_owned(), span::of_ms);
    let branch = if depth == 0 { String::new() } else { format!("{}└ ", "  ".repeat(depth - 1)) };
    let (memory, cpu, purpose) = (mebibytes(*rss), span::of_ms(*cpu_ms), name(*purpose));
    format!("{pid:>9}  {memory:>9}  {cpu:>12}  {age:>12}  {purpose:<7}  {branch}{command}")
}

/// Parents stand before their children, and each has its depth below the first.
fn with_depths(processes: &[ProcessInfo]) -> Vec<(&ProcessInfo, usize)> {
    let mut depths: HashMap<u32, usize> = HashMap::new();
    let mut rows = Vec::with_capacity(processes.len());
    for process in processes {
        let depth = depths.get(&process.parent).map_or(0, |above| above + 1);
        depths.insert(process.pid, depth);
        rows.push((process, depth));
    }
    rows
}

fn sums(processes: &[&ProcessInfo]) -> String {
    let memory = mebibytes(processes.iter().map(|process| process.rss).sum());
    let cpu = span::of_ms(processes.iter().map(|process| process.cpu_ms).sum());
    let count = processes.len();
    format!("{count} {}, {memory}, {cpu} of CPU time", if count == 1 { "process" } else { "processes" })
}

/// Memory for people.
pub(crate) fn mebibytes(bytes: u64) -> String {
    format!("{}.{} MiB", bytes >> 20, ((bytes & 0xf_ffff) * 10) >> 20)
}

fn name(purpose: ProcessPurpose) -> &'static str {
    match purpose {
        ProcessPurpose::Keeper => "keeper",
        ProcessPurpose::Runner => "runner",
        ProcessPurpose::Cli => "cli",
        ProcessPurpose::Tool => "tool",
    }
}

#[cfg(test)]
mod tests {
    use protocol::processes::PodProcesses;
    use protocol::session::Liveness;
    use protocol::{PodId, SessionId};

    use super::*;

    fn process(pid: u32, parent: u32, command: &str, purpose: ProcessPurpose) -> ProcessInfo {
        let (rss, cpu_ms, age_ms) = (3 << 19, 1_250, Some(65_000));
        ProcessInfo { pid, parent, command: command.to_owned(), rss, cpu_ms, purpose, age_ms }
    }

    fn pod(silent: Option<&str>) -> LivePod {
        let processes = vec![
            process(10, 1, "outrigger keep", ProcessPurpose::Keeper),
            process(11, 10, "node run\x1b[31mner.mjs\nx", ProcessPurpose::Runner),
            process(12, 11, &"long ".repeat(40), ProcessPurpose::Tool),
        ];
        let (session, pod) = (SessionId::new(), PodId::new());
        let (title, provider, workspace) = ("A title".to_owned(), "demo".to_owned(), String::new());
        let processes = PodProcesses { session, pod, title, provider, workspace, processes };
        let silent = silent.map(str::to_owned);
        LivePod { processes, liveness: Liveness::Unknown { reason: "no answer".to_owned() }, silent }
    }

    #[test]
    fn a_tree_with_sums_that_fits_its_width() {
        let text = render(&[pod(None), pod(Some("no answer"))], &["0a".to_owned(), "0b".to_owned()], 80);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "0a  demo  unknown  A title");
        assert_eq!(lines[2], "       10    1.5 MiB         1.2 s     1 min 5 s  keeper   outrigger keep");
        assert_eq!(lines[3], "       11    1.5 MiB         1.2 s     1 min 5 s  runner   └ node runner.mjs x");
        assert!(lines[4].contains("  └ long") && lines[4].chars().count() == 80, "{}", lines[4]);
        assert_eq!(lines[5], "  3 processes, 4.5 MiB, 3.7 s of CPU time");
        assert!(lines[8].contains("does not answer (no answer)"), "{}", lines[8]);
        assert_eq!(*lines.last().unwrap(), "All 2 sessions: 6 processes, 9.0 MiB, 7.5 s of CPU time");
    }
}

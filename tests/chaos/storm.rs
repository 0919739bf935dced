//! One run from its start to its verdict: the sessions are started, the plan is followed, calm is checked, the end is judged.

use std::fs;
use std::process::ExitCode;
use std::sync::PoisonError;
use std::thread;
use std::time::{Duration, Instant};

use outrigger_tests::Home;

use crate::agents::Agents;
use crate::disk::Disk;
use crate::events::{Deck, Doer, Event};
use crate::findings::Findings;
use crate::options::Options;
use crate::window::Window;
use crate::world::{World, json_lines};
use crate::{calm, closing, damage, journals, prompter, reader, report};

/// Between two moments of calm.
const CALM_EVERY: Duration = Duration::from_secs(12);
/// People who prompt at the same time.
const PROMPTERS: u64 = 3;

/// See the module.
pub(crate) fn run(options: &Options) -> ExitCode {
    println!("{}", options.command());
    let disk = Disk::mount();
    if disk.path().is_none() {
        println!("no disk could be mounted, so that a full one is left out");
    }
    let (agents, home) = Agents::settle(options.real, &disk);
    let sessions = match start_sessions(&home, &agents, options) {
        Ok(sessions) => sessions,
        Err(why) => {
            eprintln!("the sessions could not be started: {why}");
            return ExitCode::FAILURE;
        }
    };
    let mut world = World::new(home, agents, sessions, Findings::new(options.verbose));
    world.window = options.window.then(Window::new);
    let mut doer = Doer::new(&world, disk);
    thread::scope(|scope| {
        for session in &world.sessions {
            for _ in 0..options.readers {
                scope.spawn(|| reader::follow(&world, session));
            }
        }
        for number in 1..=PROMPTERS {
            let world = &world;
            scope.spawn(move || prompter::keep_busy(world, fastrand::Rng::with_seed(options.seed + number)));
        }
        if let Some(window) = &world.window {
            scope.spawn(|| window.attend(&world));
        }
        follow_plan(&world, &mut doer, options);
        world.end_storm();
        calm_down(&world, &mut doer);
        closing::prompt_all(&world, scope);
        if let Some(window) = &world.window {
            window.close(&world);
        }
        closing::stop_all(&world);
        calm::check(&world);
    });
    world.agents.check_memory(&world);
    damage::check(&world);
    closing::look_for_files(&world);
    for session in &world.sessions {
        journals::judge(session, &world.findings);
    }
    let clean = report::print(options, &world.findings);
    let disk = doer.into_disk();
    if clean && !options.keep {
        return ExitCode::SUCCESS;
    }
    keep(world, disk);
    if clean { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Breaks one thing after the other, with a check of everything now and then.
fn follow_plan(world: &World, doer: &mut Doer<'_>, options: &Options) {
    let mut random = fastrand::Rng::with_seed(options.seed);
    let mut deck = Deck::new(Event::all(options));
    let began = Instant::now();
    let mut calm_at = began + CALM_EVERY;
    while began.elapsed() < options.length {
        world.pause(Duration::from_millis(random.u64(100..2000)));
        let event = deck.draw(&mut random);
        let (pick, lasts) = (random.usize(..), Duration::from_millis(random.u64(500..4000)));
        doer.undo_due(Instant::now());
        doer.happen(event, pick, lasts);
        if Instant::now() > calm_at {
            calm_down(world, doer);
            calm_at = Instant::now() + CALM_EVERY;
        }
    }
}

fn calm_down(world: &World, doer: &mut Doer<'_>) {
    doer.undo_all();
    let _calm = world.calm.write().unwrap_or_else(PoisonError::into_inner);
    world.findings.write("calm");
    calm::check(world);
}

/// Starts them all in a few workspaces; what they run goes without questions.
fn start_sessions(home: &Home, agents: &Agents, options: &Options) -> Result<Vec<String>, String> {
    let mut sessions = Vec::new();
    for number in 0..options.sessions {
        let workspace = home.workspace().with_file_name(format!("workspace-{}", number % 4));
        fs::create_dir_all(&workspace).map_err(|error| format!("{}: {error}", workspace.display()))?;
        fs::write(workspace.join("README.md"), "# Lighthouse\n\nA lamp, a lens and a keeper.\n")
            .map_err(|error| error.to_string())?;
        let cwd = workspace.to_string_lossy().into_owned();
        let fixed =
            ["run", "--provider", agents.provider(number), "--detach", "--json", "--mode", "bypass", "--cwd", &cwd];
        let prompt = agents.first_words(number);
        let ended = home.run(fixed.iter().copied().chain([prompt.as_str()]));
        let started = json_lines(&ended.stdout.join("\n"));
        let id = started.first().and_then(|told| told["session"].as_str());
        let id = id.ok_or_else(|| format!("{:?}: {}", ended.code, ended.stderr))?.to_owned();
        if agents.are_real() {
            // What a real one has to remember at the end is said before the storm.
            home.start(["logs", &id, "--follow", "--json"])
                .wait_for("the end of the first turn", |item| item["body"]["type"] == "turnEnd");
        }
        sessions.push(id);
    }
    Ok(sessions)
}

/// Leaves the home where it is, with the diary of the run in it.
fn keep(world: World, mut disk: Disk) {
    let World { home, findings, agents, .. } = world;
    drop(agents);
    disk.keep();
    let folder = home.keep();
    // Without its diary a kept home still tells most of it.
    let _ = fs::write(folder.join("chaos-diary.txt"), findings.diary());
    println!("\nThe home and the diary of the run are kept in {}", folder.display());
}

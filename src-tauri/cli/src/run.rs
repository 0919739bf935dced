//! `outrigger run`: starts or resumes a session, shows it, and ends with its outcome.
//!
//! A session that this command started is ended when its turn is over. One that was live before is left alive.

use std::path::Path;

use anyhow::Result;
use client::start::{Resume, Started, resume, start};
use client::{Machine, PodConnection, catalog, sessions};
use protocol::SessionId;
use protocol::error::{ErrorCode, WireError};
use protocol::pod::{IfBusy, PromptParams, SetParams};
use protocol::session::{Liveness, StartSession};

use crate::exit::Exit;
use crate::follow::{Follow, Plan};
use crate::run_options::{Policy, RunOptions};
use crate::{budget, home, output, scope_option};

/// See the module.
pub(crate) async fn run(options: RunOptions) -> Result<Exit> {
    options.check()?;
    let prompt = options.read_prompt()?;
    let machine = home::for_starting()?;
    match continued(&machine, &options)? {
        Some(session) => go_on(&machine, session, &options, prompt).await,
        None => begin(&machine, &options, prompt).await,
    }
}

/// The session to go on with, if one was named.
fn continued(machine: &Machine, options: &RunOptions) -> Result<Option<SessionId>> {
    if let Some(id) = &options.resume {
        return home::session(machine, id).map(Some);
    }
    if !options.continue_newest {
        return Ok(None);
    }
    let workspace = folder(options)?;
    let newest = sessions::newest(machine, &workspace, options.provider.as_deref());
    let none = || {
        let of = options.provider.as_ref().map(|provider| format!(" of {provider}")).unwrap_or_default();
        let message = format!("there is no session{of} in {workspace} to continue; start one without `--continue`");
        WireError::new(ErrorCode::NoSuchSession, message)
    };
    Ok(Some(newest.ok_or_else(none)?))
}

/// The working directory, absolute.
fn folder(options: &RunOptions) -> Result<String> {
    let Some(cwd) = &options.cwd else { return Ok(std::env::current_dir()?.display().to_string()) };
    // The shell leaves `~` in `--cwd=~/x` as it is; the client expands it.
    let path = Path::new(cwd);
    let path = if cwd.starts_with('~') { path.to_owned() } else { std::path::absolute(path)? };
    Ok(std::fs::canonicalize(&path).unwrap_or(path).display().to_string())
}

async fn begin(machine: &Machine, options: &RunOptions, prompt: String) -> Result<Exit> {
    let cwd = folder(options)?;
    let provider = match &options.provider {
        Some(provider) => provider.clone(),
        None => usual_provider(machine, &cwd).await?,
    };
    let scope: Vec<_> = options.scope.iter().map(|rule| scope_option::settled(rule, Path::new(&cwd))).collect();
    let mut wish = StartSession::new(provider, cwd);
    wish.scope = (!scope.is_empty()).then_some(scope);
    wish.budget = (!options.budget.is_empty()).then(|| budget::with(scopes::default_budget(), &options.budget));
    wish.model = options.model.clone();
    wish.permission_mode = options.mode.map(Into::into);
    wish.permissions = options.permissions.into();
    wish.system_prompt = options.system_prompt.clone();
    wish.max_turns = options.max_turns;
    wish.additional_directories = options.add_dirs.clone();
    wish.worktree_name = options.worktree.clone();
    wish.extra_env = options.extra_env();
    wish.config_dir = options.config_dir.clone();
    wish.provider_config = options.provider_config.clone();
    wish.create_cwd = options.create_cwd;
    wish.mcp_servers = options.mcp_config.clone().unwrap_or_default();
    let named = |names: &Vec<String>| names.iter().filter(|name| !name.is_empty()).cloned().collect();
    wish.sidecars = options.sidecars.as_ref().map(named);
    if options.detach {
        let started = start(machine, wish).await?;
        return leave(started, prompt, options).await;
    }
    wish.attachments = options.attachments.clone();
    wish.prompt = Some(prompt);
    let started = start(machine, wish).await?;
    attend(machine, started, options).await
}

/// The first provider that can be started: claude, codex, one of the user's own, and the demo agent when there is no other.
async fn usual_provider(machine: &Machine, cwd: &str) -> Result<String> {
    let (machine, cwd) = (machine.clone(), cwd.to_owned());
    let choices = tokio::task::spawn_blocking(move || catalog::choices(&machine, Path::new(&cwd), false)).await?;
    let available: Vec<_> = choices.iter().filter(|choice| choice.available).collect();
    let named = |id: &str| available.iter().find(|choice| choice.provider.id == id);
    let real = || available.iter().find(|choice| choice.provider.id != "demo");
    if let Some(choice) = named("claude").or_else(|| named("codex")).or_else(real) {
        return Ok(choice.provider.id.clone());
    }
    output::to_stderr(
        "No agent CLI was found here, so the built-in demo agent answers. `outrigger doctor` says how to install one.",
    );
    Ok("demo".to_owned())
}

async fn go_on(machine: &Machine, session: SessionId, options: &RunOptions, prompt: String) -> Result<Exit> {
    match sessions::summary(machine, session).await?.liveness {
        Liveness::Live { .. } => match join(machine, session, options, prompt.clone()).await? {
            Joined::Took(exit) => Ok(exit),
            Joined::HadEnded => take_up(machine, session, options, prompt).await,
        },
        Liveness::Unknown { reason } => {
            let message =
                format!("session {session} does not answer, so it can be neither resumed nor talked to: {reason}");
            Err(WireError::new(ErrorCode::Unreachable, message).into())
        }
        Liveness::Ended { .. } | Liveness::Interrupted => take_up(machine, session, options, prompt).await,
    }
}

/// Resumes a session that nobody hosts.
async fn take_up(machine: &Machine, session: SessionId, options: &RunOptions, prompt: String) -> Result<Exit> {
    let wish = Resume {
        prompt: (!options.detach).then(|| prompt.clone()),
        attachments: if options.detach { Vec::new() } else { options.attachments.clone() },
        permissions: options.permissions.into(),
        model: options.model.clone(),
        permission_mode: options.mode.map(Into::into),
        provider_config: options.provider_config.clone(),
    };
    let started = resume(machine, session, wish).await?;
    if options.detach { leave(started, prompt, options).await } else { attend(machine, started, options).await }
}

/// What became of a prompt to a session that was live a moment ago.
enum Joined {
    /// It was taken, and shown to its end.
    Took(Exit),
    /// The session had just ended, and took nothing.
    HadEnded,
}

/// Sends the prompt to a session that is live, and shows what comes of it.
async fn join(machine: &Machine, session: SessionId, options: &RunOptions, prompt: String) -> Result<Joined> {
    let mut pod = match sessions::connect(machine, session, "cli").await {
        Err(error) if error.code == ErrorCode::SessionEnded => return Ok(Joined::HadEnded),
        connected => connected?,
    };
    let from_seq = pod.welcome().last_seq;
    let prompt =
        PromptParams { text: prompt, attachments: options.attachments.clone(), if_busy: IfBusy::Queue, from: None };
    if options.detach {
        if options.permissions != Policy::Ask {
            // Nobody stays who could answer.
            let permissions = Some(options.permissions.into());
            let set = pod.set(SetParams { permissions, ..SetParams::default() }).await;
            if has_ended(&set) {
                return Ok(Joined::HadEnded);
            }
            set?;
        }
        let sent = pod.prompt(prompt).await;
        if has_ended(&sent) {
            return Ok(Joined::HadEnded);
        }
        sent?;
        tell_id(session, options.json);
        return Ok(Joined::Took(Exit::Done));
    }
    // The session was there before and goes on after: the policy of this command is its own.
    let (policy, json) = (options.permissions, options.json);
    let plan = Plan { session, from_seq, policy, pod_answers: false, json, ends_session: false };
    let follow = Follow::begin(machine, plan).await?;
    let sent = pod.prompt(prompt).await;
    if has_ended(&sent) {
        return Ok(Joined::HadEnded);
    }
    sent?;
    follow.run().await.map(Joined::Took)
}

fn has_ended<T>(answer: &std::result::Result<T, WireError>) -> bool {
    answer.as_ref().is_err_and(|error| error.code == ErrorCode::SessionEnded)
}

/// Shows a session that has just been started until its turn is over, and ends it.
async fn attend(machine: &Machine, started: Started, options: &RunOptions) -> Result<Exit> {
    tell_notices(&started);
    Follow::begin(machine, whole(&started, options)).await?.run().await
}

fn whole(started: &Started, options: &RunOptions) -> Plan {
    Plan {
        session: started.session,
        from_seq: started.from_seq,
        policy: options.permissions,
        pod_answers: options.permissions != Policy::Ask,
        json: options.json,
        ends_session: true,
    }
}

/// Waits until the turn has really begun and leaves.
async fn leave(started: Started, prompt: String, options: &RunOptions) -> Result<Exit> {
    tell_notices(&started);
    let mut pod = PodConnection::open(&started.pod, "cli").await?;
    let prompt =
        PromptParams { text: prompt, attachments: options.attachments.clone(), if_busy: IfBusy::Reject, from: None };
    if let Err(error) = pod.prompt(prompt).await {
        // The session is of no use to anybody; what it said is in its transcript.
        let _ = pod.stop(false).await;
        let more = format!("`outrigger logs {}` shows what it said before", started.session);
        return Err(error.with_detail(more).into());
    }
    tell_id(started.session, options.json);
    Ok(Exit::Done)
}

fn tell_notices(started: &Started) {
    for notice in &started.notices {
        output::to_stderr(&format!("outrigger: {notice}"));
    }
}

fn tell_id(session: SessionId, json: bool) {
    if json {
        output::json(&serde_json::json!({ "type": "started", "session": session }));
    } else {
        output::line(&session.to_string());
    }
}

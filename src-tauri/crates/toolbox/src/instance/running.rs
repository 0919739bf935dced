//! One run of a sidecar: the process and its connection, or the connection alone, from the start until nothing is left.
//!
//! Responsible for telling in every case how it ended. What follows from that is decided in [`crate::states`].

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use process::ProcessRef;
use protocol::sidecar::{FailedAt, SidecarFailure};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::InstanceOrder;
use super::conversation::{Said, converse};
use crate::build::{BuildOrder, build};
use crate::callback::Callback;
use crate::environment::{SOCKET_VARIABLE, TOKEN_VARIABLE, environment};
use crate::log::LogSource;
use crate::manifest::{CommandWords, Run};
use crate::mcp::ears::Ears;
use crate::mcp::wire::Wire;
use crate::secrets::SecretRef;
use crate::states::{End, failure};
use crate::supervised::{self, Supervised};

/// Lines of a process's stderr that an error carries.
const TOLD: usize = 50;

/// What a run tells of itself.
#[derive(Debug)]
pub(super) enum Told {
    /// All build steps are done.
    Built,
    /// One failed.
    BuildFailed(SidecarFailure),
    /// The process runs.
    Started(ProcessRef),
    /// Of its connection.
    Said(Said),
    /// Nothing is left. The last word of a run that is no build.
    Ended(End),
}

/// A run that was begun.
pub(super) struct Running {
    pub(super) told: mpsc::UnboundedReceiver<Told>,
    stop: mpsc::Sender<()>,
    hurry: bool,
}

impl Running {
    /// Asks it to end; asked again, it hurries.
    pub(super) fn end(&self) {
        let _ = self.stop.try_send(());
        if self.hurry {
            // Closing a socket means nothing to a sidecar that may connect again: SIGTERM at once.
            let _ = self.stop.try_send(());
        }
    }
}

/// Builds.
pub(super) fn build_steps(order: InstanceOrder) -> Running {
    begin(false, move |tell, stop| async move {
        let told = match surroundings(&order).await {
            Err(why) => Err(failure(FailedAt::Build, why)),
            Ok(environment) => {
                let filled = |step: &CommandWords| step.filled(&order.manifest.folder, &order.workspace);
                let steps: Vec<Vec<String>> = order.manifest.build.iter().map(filled).collect();
                let build_order = BuildOrder {
                    steps: &steps,
                    folder: &order.manifest.folder,
                    environment: &environment,
                    mark: &order.mark,
                    limit: order.manifest.timeouts.build,
                };
                build(&build_order, &order.log, stop).await
            }
        };
        let _ = tell.send(told.map_or_else(Told::BuildFailed, |()| Told::Built));
    })
}

/// Starts it, or connects to it.
pub(super) fn launch(order: InstanceOrder) -> Running {
    let hurry = matches!(order.manifest.run, Run::Socket(_));
    begin(hurry, move |tell, stop| async move {
        let ran = match &order.manifest.run {
            Run::Stdio(words) => stdio(&order, words, &tell, stop).await,
            Run::Socket(words) => socket(&order, words, &tell, stop).await,
            Run::Http { url, headers, secret_headers } => http(&order, url, headers, secret_headers, &tell, stop).await,
        };
        let end = ran.unwrap_or_else(|failure| {
            let _ = tell.send(Told::Said(Said::NotConnected(failure.clone())));
            End { clean: false, failure }
        });
        let _ = tell.send(Told::Ended(end));
    })
}

fn begin<F>(hurry: bool, run: impl FnOnce(mpsc::UnboundedSender<Told>, mpsc::Receiver<()>) -> F) -> Running
where
    F: Future<Output = ()> + Send + 'static,
{
    // What is told is bounded by what happens: a handful of messages, and one for each changed list, which is asked for by us.
    let (tell, told) = mpsc::unbounded_channel();
    let (stop, stopped) = mpsc::channel(8);
    tokio::spawn(run(tell, stopped));
    Running { told, stop, hurry }
}

/// The environment of build and process. The login shell and the keyring may take their time, so another thread asks them.
async fn surroundings(order: &InstanceOrder) -> Result<BTreeMap<String, String>, String> {
    let order = order.clone();
    let asked = tokio::task::spawn_blocking(move || {
        let user = (order.environment)(&order.workspace);
        environment(&order.manifest.environment, &user, order.secrets.as_ref()).map_err(|error| error.to_string())
    });
    asked.await.map_err(|error| error.to_string())?
}

async fn stdio(
    order: &InstanceOrder,
    words: &CommandWords,
    tell: &mpsc::UnboundedSender<Told>,
    stop: mpsc::Receiver<()>,
) -> Result<End, SidecarFailure> {
    let environment = surroundings(order).await.map_err(|why| failure(FailedAt::Start, why))?;
    let mut child = spawn(order, words, &environment)?;
    let _ = tell.send(Told::Started(child.process()));
    let (Some(stdin), Some(stdout)) = (child.take_stdin(), child.take_stdout()) else {
        return Err(failure(FailedAt::Start, "it was started without pipes"));
    };
    let ears = Ears::new(order.log.clone());
    let wire = Wire::new(stdout, stdin, ears.clone());
    let (exit, gone) = watch::channel(false);
    let (timeouts, said) = (order.manifest.timeouts, saying(tell));
    let talk = tokio::spawn(async move { converse(wire, &ears, timeouts, said, gone).await });
    let kinds = [LogSource::Stdout, LogSource::Stderr];
    let process = Supervised::new(child, &order.mark, None, kinds, order.log.clone());
    Ok(over(order, process, talk, exit, stop).await)
}

async fn socket(
    order: &InstanceOrder,
    words: &CommandWords,
    tell: &mpsc::UnboundedSender<Told>,
    stop: mpsc::Receiver<()>,
) -> Result<End, SidecarFailure> {
    let mut environment = surroundings(order).await.map_err(|why| failure(FailedAt::Start, why))?;
    let callback = Callback::listen(&order.run).map_err(|error| {
        failure(FailedAt::Start, format!("failed to listen for it in {}: {error}", order.run.display()))
    })?;
    environment.insert(SOCKET_VARIABLE.to_owned(), callback.path().to_string_lossy().into_owned());
    environment.insert(TOKEN_VARIABLE.to_owned(), callback.token().to_owned());
    let mut child = spawn(order, words, &environment)?;
    let _ = tell.send(Told::Started(child.process()));
    drop(child.take_stdin());
    let stdout = child.take_stdout();
    let (exit, gone) = watch::channel(false);
    let (order_of_talk, said) = (order.clone(), saying(tell));
    let talk = tokio::spawn(async move { connections(&order_of_talk, &callback, said, gone).await });
    let kinds = [LogSource::Stdout, LogSource::Stderr];
    let process = Supervised::new(child, &order.mark, stdout, kinds, order.log.clone());
    Ok(over(order, process, talk, exit, stop).await)
}

/// One connection after the other. The first must come in time, later ones whenever they come.
async fn connections(order: &InstanceOrder, callback: &Callback, said: impl Fn(Said), gone: watch::Receiver<bool>) {
    let limit = order.manifest.timeouts.connect;
    let mut first = Some(tokio::time::Instant::now() + limit);
    loop {
        let accepted = match first.take() {
            None => callback.accept().await,
            Some(deadline) => match tokio::time::timeout_at(deadline, callback.accept()).await {
                Ok(accepted) => accepted,
                Err(_) => {
                    let why = format!(
                        "it did not connect back within {} s; it finds the socket in {SOCKET_VARIABLE} and sends the token of {TOKEN_VARIABLE} as its first line",
                        limit.as_secs()
                    );
                    return said(Said::NotConnected(failure(FailedAt::Connect, why)));
                }
            },
        };
        match accepted {
            Ok(connected) => {
                let ears = Ears::new(order.log.clone());
                let wire = Wire::from_lines(connected.lines, connected.early, connected.writer, ears.clone());
                converse(wire, &ears, order.manifest.timeouts, &said, gone.clone()).await;
            }
            Err(error) => return said(Said::NotConnected(failure(FailedAt::Connect, error.to_string()))),
        }
    }
}

async fn http(
    order: &InstanceOrder,
    url: &str,
    headers: &BTreeMap<String, String>,
    secrets: &BTreeMap<String, SecretRef>,
    tell: &mpsc::UnboundedSender<Told>,
    mut stop: mpsc::Receiver<()>,
) -> Result<End, SidecarFailure> {
    let wrong = |why: String| failure(FailedAt::Start, why);
    let mut all = headers.clone();
    let (of_order, of_secrets) = (order.clone(), secrets.clone());
    let fetched = tokio::task::spawn_blocking(move || {
        let user = (of_order.environment)(&of_order.workspace);
        let fetch = |(name, secret): (&String, &SecretRef)| {
            secret.fetch(&user, of_order.secrets.as_ref()).map(|value| (name.clone(), value))
        };
        of_secrets.iter().map(fetch).collect::<Result<Vec<_>, _>>()
    });
    all.extend(fetched.await.map_err(|e| wrong(e.to_string()))?.map_err(|e| wrong(e.to_string()))?);
    let config = StreamableHttpClientTransportConfig::with_uri(url).custom_headers(parsed(&all).map_err(wrong)?);
    // Both find the provider installed when another connection was first; that is as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let transport = StreamableHttpClientTransport::from_config(config);
    let ears = Ears::new(order.log.clone());
    let (_exit, gone) = watch::channel(false);
    let said = saying(tell);
    tokio::select! {
        () = converse(transport, &ears, order.manifest.timeouts, said, gone) => {}
        _ = stop.recv() => {}
    }
    Ok(End { clean: true, failure: failure(FailedAt::Connect, "the connection was closed") })
}

fn parsed(headers: &BTreeMap<String, String>) -> Result<HashMap<http::HeaderName, http::HeaderValue>, String> {
    let one = |(name, value): (&String, &String)| {
        let wrong =
            || format!("the header {name} cannot be sent: its name or value has characters that are not allowed");
        let mut value = http::HeaderValue::from_str(value).map_err(|_| wrong())?;
        value.set_sensitive(true);
        Ok((name.parse::<http::HeaderName>().map_err(|_| wrong())?, value))
    };
    headers.iter().map(one).collect()
}

fn spawn(
    order: &InstanceOrder,
    words: &CommandWords,
    environment: &BTreeMap<String, String>,
) -> Result<process::Child, SidecarFailure> {
    let folder = &order.manifest.folder;
    let command = supervised::command(&words.filled(folder, &order.workspace), folder, environment, &order.mark);
    command.spawn().map_err(|error| failure(FailedAt::Start, error.to_string()))
}

/// Waits for the end of the process, and ends the talk with it.
async fn over(
    order: &InstanceOrder,
    process: Supervised,
    talk: JoinHandle<()>,
    exit: watch::Sender<bool>,
    stop: mpsc::Receiver<()>,
) -> End {
    let talk = Arc::new(talk);
    let asked = Arc::clone(&talk);
    let outcome = process.ended(stop, move || asked.abort()).await;
    let _ = exit.send(true);
    talk.abort();
    let failure = SidecarFailure {
        at: FailedAt::Exit,
        message: format!("its process {}", outcome.words()),
        output: order.log.tail(&[LogSource::Stderr], TOLD),
    };
    End { clean: outcome.is_clean(), failure }
}

fn saying(tell: &mpsc::UnboundedSender<Told>) -> impl Fn(Said) + Send + Sync + 'static {
    let tell = tell.clone();
    move |said| {
        let _ = tell.send(Told::Said(said));
    }
}

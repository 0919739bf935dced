//! Who sits in the sessions: the built-in demo agent, or the real `claude` and `codex` by turns, against the stand-in of their
//! vendors. What they can be asked, and whether a real one still knows at the end what was said at the beginning.

use std::path::PathBuf;
use std::sync::Mutex;

use outrigger_tests::{Home, RealClis, Standin};
use serde_json::Value;

use crate::disk::Disk;
use crate::findings::Fault;
use crate::world::{World, json_lines};

/// A prompt with how often it comes up.
type Prompts = &'static [(u32, &'static str)];

/// Several leave processes in sessions of their own that nobody waits for.
const DEMO: Prompts = &[
    (6, "say something"),
    (8, "demo:slow=40 tell a long story"),
    (6, "demo:slow=120 tell it slowly"),
    (5, "demo:tools=5 demo:slow=10 look closely"),
    (6, "demo:slow=5 demo:run=\"setsid sleep 300 >/dev/null 2>&1 & echo started\""),
    (4, "demo:slow=5 demo:run=\"setsid sleep 300 & sleep 4\""),
    (4, "demo:slow=5 demo:run=\"sleep 6\""),
    (3, "demo:slow=5 demo:run=\"sh -c 'setsid sh -c \\'sleep 300 & sleep 300\\'' >/dev/null 2>&1 & sleep 1\""),
    (3, "demo:huge=1 demo:slow=0"),
    (1, "demo:garbage"),
    (2, "demo:crash"),
    (2, "demo:crash=abort"),
    (2, "demo:fail"),
    (1, "demo:exit-at-once"),
];

const REAL: Prompts = &[
    (5, "SCENARIO:hello"),
    (5, "SCENARIO:think"),
    (6, "SCENARIO:slow chars=400 chunk=20 ms=100"),
    (6, "SCENARIO:sleep s=4"),
    (3, "SCENARIO:sleep s=300"),
    (5, "SCENARIO:bash cmd=setsid+sleep+300+>/dev/null+2>&1+&+echo+started"),
    (4, "SCENARIO:write-file file=storm.txt"),
    (2, "SCENARIO:huge bytes=300000"),
    (2, "SCENARIO:error-400"),
    (1, "SCENARIO:drop"),
];

/// See the module.
#[derive(Debug)]
pub(crate) enum Agents {
    Demo,
    Real {
        /// Only held, so that it runs; a lock lets threads share what holds it.
        _standin: Mutex<Standin>,
        /// What the stand-in was asked, one line for each request.
        requests: PathBuf,
    },
}

impl Agents {
    /// Sets up a home for them: on the disk for the demo agent, in a place that suits the CLIs for real ones.
    pub(crate) fn settle(real: bool, disk: &Disk) -> (Self, Home) {
        if !real {
            return (Self::Demo, disk.path().map_or_else(Home::new, Home::within));
        }
        let clis = RealClis::installed();
        let home = Home::within(&clis.homes());
        let requests = home.path().with_file_name("requests.ndjson");
        let standin = Standin::start(&["--log", &requests.to_string_lossy()]);
        for provider in ["claude", "codex"] {
            clis.settle_in(&home, provider, &standin.url());
        }
        (Self::Real { _standin: Mutex::new(standin), requests }, home)
    }

    /// Whether they are real CLIs.
    pub(crate) fn are_real(&self) -> bool {
        match self {
            Self::Demo => false,
            Self::Real { .. } => true,
        }
    }

    /// Whose session one is, by its number.
    pub(crate) fn provider(&self, session: usize) -> &'static str {
        match self {
            Self::Demo => "demo",
            Self::Real { .. } if session.is_multiple_of(2) => "claude",
            Self::Real { .. } => "codex",
        }
    }

    /// What a session begins with.
    pub(crate) fn first_words(&self, session: usize) -> String {
        match self {
            Self::Demo => format!("demo:slow=20 begin session {session}"),
            Self::Real { .. } => format!("SCENARIO:echo say=remember-{session}-well"),
        }
    }

    /// The last prompt of a session.
    pub(crate) fn last_words(&self, session: usize) -> String {
        match self {
            Self::Demo => "the storm is over, say something".to_owned(),
            Self::Real { .. } => format!("SCENARIO:echo say=storm-{session}-is-over"),
        }
    }

    /// One of the prompts of the storm.
    pub(crate) fn any_prompt(&self, random: &mut fastrand::Rng) -> &'static str {
        let prompts = match self {
            Self::Demo => DEMO,
            Self::Real { .. } => REAL,
        };
        let all: u32 = prompts.iter().map(|(weight, _)| weight).sum();
        let mut drawn = random.u32(..all);
        for (weight, prompt) in prompts {
            if drawn < *weight {
                return prompt;
            }
            drawn -= weight;
        }
        prompts[0].1
    }

    /// The last request of each real session carries what was said first, or its transcript says that it does not.
    pub(crate) fn check_memory(&self, world: &World) {
        let Self::Real { requests, .. } = self else { return };
        let requests = json_lines(&std::fs::read_to_string(requests).unwrap_or_default());
        for (number, session) in world.sessions.iter().enumerate() {
            let (first, last) = (format!("You said: remember-{number}-well"), format!("storm-{number}-is-over"));
            let asked = requests.iter().rfind(|request| text(&request["lastUser"]).contains(&last));
            let history = asked.and_then(|request| request["history"].as_array()).map_or(&[][..], Vec::as_slice);
            if history.iter().any(|entry| entry["role"] == "assistant" && text(&entry["text"]).contains(&first)) {
                world.findings.count("native conversations resumed", 1);
            } else if is_disclosed(world, &session.id) {
                world.findings.count("native conversations lost, and told", 1);
            } else {
                let what = format!(
                    "{} ({}): its last request does not hold what was said first, and nothing tells why: {history:?}",
                    session.id,
                    self.provider(number)
                );
                world.findings.add(Fault::NotPromptable, what);
            }
        }
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn is_disclosed(world: &World, session: &str) -> bool {
    let items = world.ask(&["logs", session, "--json"]);
    json_lines(&items.stdout).iter().any(|item| item["body"]["code"] == "not_resumed")
}

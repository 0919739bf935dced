//! Every state with every event, and the paths that a sidecar takes through them.

use super::*;

fn broken(words: &str) -> SidecarFailure {
    failure(FailedAt::Exit, words)
}

fn end(clean: bool) -> Event {
    Event::Ended(End { clean, failure: broken("it exited") })
}

fn events() -> Vec<Event> {
    vec![
        Event::Wanted,
        Event::Start,
        Event::Restart,
        Event::Stop(SidecarStop::Asked),
        Event::Built,
        Event::BuildFailed(failure(FailedAt::Build, "no compiler")),
        Event::Listed { tools: 3 },
        Event::NotConnected(failure(FailedAt::Connect, "silent")),
        Event::Lost("end of output".to_owned()),
        end(true),
        end(false),
        Event::RetryDue,
        Event::Stable,
        Event::Unused,
    ]
}

fn states() -> Vec<State> {
    let after = TryAgain::After { ms: 1000, attempt: 1 };
    let failed = |again| State::Failed { failure: broken("x"), again };
    let stopping = |then| State::Stopping { then };
    let stopped = |why| State::Stopped { why };
    vec![
        State::Idle,
        State::Building,
        State::Starting,
        State::Connected { tools: 2 },
        State::Disconnected { why: "gone".to_owned() },
        stopping(Then::Stopped(SidecarStop::Asked)),
        stopping(Then::Stopped(SidecarStop::Unused)),
        stopping(Then::Failed(broken("y"))),
        stopping(Then::Begin),
        failed(after),
        failed(TryAgain::WhenUsed),
        failed(TryAgain::ByHand),
        stopped(SidecarStop::Asked),
        stopped(SidecarStop::Unused),
        stopped(SidecarStop::Ended),
    ]
}

fn at(state: State) -> Life {
    Life { state, ..Life::new(true, Restart::OnFailure, Reached::ByPipes) }
}

/// One letter for each state: i b s c d, S for stopping, f for failed, x for stopped.
fn letter(state: &State) -> char {
    match state {
        State::Idle => 'i',
        State::Building => 'b',
        State::Starting => 's',
        State::Connected { .. } => 'c',
        State::Disconnected { .. } => 'd',
        State::Stopping { .. } => 'S',
        State::Failed { .. } => 'f',
        State::Stopped { .. } => 'x',
    }
}

#[test]
fn every_state_answers_every_event() {
    // Columns are the events above, rows the states.
    let table = [
        "bbbxiiiiiiiiii",
        "bbSSsfbbbffbbb",
        "ssSSsscSSffsss",
        "ccSScccddxfccS",
        "ddSSddcddxfddS",
        "SSSSSxSSSxxSSS",
        "SSSSSxSSSxxSSS",
        "SSSSSfSSSffSSS",
        "SSSSSbSSSbbSSS",
        "fbbxfffffffbff",
        "bbbxffffffffff",
        "fbbxffffffffff",
        "xbbxxxxxxxxxxx",
        "bbbxxxxxxxxxxx",
        "bbbxxxxxxxxxxx",
    ];
    for (state, row) in states().into_iter().zip(table) {
        for (event, expected) in events().into_iter().zip(row.chars()) {
            let mut life = at(state.clone());
            life.step(event.clone());
            assert_eq!(letter(life.state()), expected, "{state:?} at {event:?} became {:?}", life.state());
        }
    }
}

#[test]
fn tools_are_cleared_whenever_a_connection_ends() {
    for event in events() {
        let mut life = at(State::Connected { tools: 2 });
        let effects = life.step(event.clone());
        let left = !matches!(life.state(), State::Connected { .. });
        assert_eq!(effects.first() == Some(&Effect::ClearTools), left, "{event:?}: {effects:?}");
    }
}

#[test]
fn what_runs_is_ended_before_it_is_stopped() {
    for state in [State::Building, State::Starting, State::Connected { tools: 1 }] {
        let mut life = at(state.clone());
        let effects = life.step(Event::Stop(SidecarStop::Asked));
        assert!(effects.contains(&Effect::End), "{state:?}");
        let hurried = life.step(Event::Stop(SidecarStop::Owner));
        assert_eq!(hurried, [Effect::End], "asked again, it hurries");
        life.step(end(false));
        assert_eq!(life.state(), &State::Stopped { why: SidecarStop::Owner });
    }
}

#[test]
fn a_life_from_the_first_use_to_rest() {
    let mut life = Life::new(true, Restart::OnFailure, Reached::ByPipes);
    assert_eq!(life.step(Event::Wanted), [Effect::Build]);
    assert_eq!(life.step(Event::Built), [Effect::Launch]);
    assert_eq!(life.step(Event::Listed { tools: 2 }), [Effect::StableAfter(STABLE)]);
    assert_eq!(life.step(Event::Unused), [Effect::ClearTools, Effect::End]);
    assert_eq!(life.step(Event::Wanted), []);
    assert_eq!(life.step(end(true)), [Effect::Build], "who came while it stopped is served");
}

#[test]
fn without_a_build_it_is_started_at_once() {
    let mut life = Life::new(false, Restart::OnFailure, Reached::BySocket);
    assert_eq!(life.step(Event::Wanted), [Effect::Launch]);
    assert_eq!(life.state(), &State::Starting);
}

#[test]
fn a_socket_may_be_lost_and_come_back_while_pipes_may_not() {
    let mut life = Life { reached: Reached::BySocket, ..at(State::Connected { tools: 2 }) };
    assert_eq!(life.step(Event::Lost("x".to_owned())), [Effect::ClearTools]);
    assert_eq!(life.step(Event::Listed { tools: 1 }), [Effect::StableAfter(STABLE)]);
    let mut life = at(State::Connected { tools: 2 });
    assert_eq!(life.step(Event::Lost("x".to_owned())), [Effect::ClearTools, Effect::End]);
    let mut life = Life { reached: Reached::ByHttp, ..at(State::Connected { tools: 2 }) };
    assert_eq!(life.step(Event::Lost("x".to_owned())), [Effect::ClearTools, Effect::TryAfter(Duration::from_secs(1))]);
}

#[test]
fn five_tries_with_growing_waits_and_then_none() {
    let mut life = Life::new(true, Restart::OnFailure, Reached::ByPipes);
    life.step(Event::Wanted);
    life.step(Event::Built);
    let mut waits = Vec::new();
    loop {
        let effects = life.step(end(false));
        let [Effect::TryAfter(wait)] = effects.as_slice() else { break };
        waits.push(wait.as_secs());
        assert_eq!(life.step(Event::RetryDue), [Effect::Launch], "what is built is not built again");
    }
    assert_eq!(waits, [1, 2, 4, 8, 16]);
    assert!(matches!(life.state(), State::Failed { again: TryAgain::ByHand, .. }), "{:?}", life.state());
    assert_eq!(life.step(Event::Wanted), [], "agents do not start it again");
    assert_eq!(life.step(Event::Start), [Effect::Build], "a person does");
    assert_eq!(wait_before(5), RESTART_AFTER_AT_MOST);
}

#[test]
fn after_five_stable_minutes_the_tries_are_counted_anew() {
    let mut life = at(State::Connected { tools: 1 });
    life.tries = RESTARTS;
    life.step(Event::Stable);
    assert_eq!(life.step(end(false)), [Effect::ClearTools, Effect::TryAfter(Duration::from_secs(1))]);
}

#[test]
fn when_it_is_started_again_is_as_its_manifest_says() {
    let after = |restart, clean| {
        let mut life = Life { restart, ..at(State::Connected { tools: 1 }) };
        life.step(end(clean));
        life.state().shown()
    };
    let stopped = SidecarState::Stopped { why: SidecarStop::Ended };
    assert_eq!(after(Restart::OnFailure, true), stopped);
    assert_eq!(after(Restart::Never, true), stopped);
    for (restart, clean, again) in [
        (Restart::Always, true, TryAgain::After { ms: 1000, attempt: 1 }),
        (Restart::OnFailure, false, TryAgain::After { ms: 1000, attempt: 1 }),
        (Restart::Never, false, TryAgain::WhenUsed),
    ] {
        let state = after(restart, clean);
        assert!(
            matches!(&state, SidecarState::Failed { again: found, .. } if *found == again),
            "{restart:?}: {state:?}"
        );
    }
}

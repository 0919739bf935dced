//! What evidence means: a table of what was seen and what is said of it, and what holds for any evidence.

use std::time::Duration;

use outrigger_keeper::health::{At, Evidence, Growth, assess};
use process::Liveness;
use proptest::prelude::*;
use protocol::health::{HealthThresholds, HealthVerdict};

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// As much as was measured of a codex that waits for its provider.
fn still() -> Growth {
    Growth { over: seconds(5), cpu: Duration::from_millis(60), io_bytes: 354_144, processes: 3 }
}

fn evidence(at: At, silent: u64) -> Evidence {
    Evidence {
        at,
        silent: seconds(silent),
        transient_errors: vec![],
        auth_failed: false,
        growth: Some(still()),
        runner: Liveness::Alive,
    }
}

fn tool(running: u64) -> At {
    At::Tool { name: "Bash".into(), running: seconds(running) }
}

fn verdict(evidence: &Evidence) -> (HealthVerdict, String) {
    let (verdict, reasons) = assess(evidence, &HealthThresholds::default());
    (verdict, reasons.join("; "))
}

#[test]
fn silence_means_what_the_agent_is_at() {
    for (at, silent, expected, words) in [
        (At::Idle, 100_000, HealthVerdict::Ok, ""),
        (At::Model, 29, HealthVerdict::Ok, ""),
        (At::Model, 30, HealthVerdict::Quiet, "said nothing for 30 s"),
        (At::Model, 119, HealthVerdict::Quiet, "said nothing for 1 min 59 s"),
        (
            At::Model,
            130,
            HealthVerdict::Stalled,
            "said nothing for 2 min 10 s; no tool runs; its 3 processes used no CPU and moved no data",
        ),
        (tool(180), 190, HealthVerdict::Quiet, "said nothing for 3 min 10 s; busy in Bash since 3 min"),
        (At::Permission, 4000, HealthVerdict::Ok, ""),
        (At::Retry, 4000, HealthVerdict::Ok, ""),
        (At::Compacting, 3600, HealthVerdict::Quiet, "said nothing for 1 h; it makes its context smaller"),
        (At::OwnRetry, 130, HealthVerdict::Quiet, "said nothing for 2 min 10 s; its CLI waits to try again"),
        (At::Ending, 4000, HealthVerdict::Ok, ""),
    ] {
        let seen = evidence(at, silent);
        assert_eq!(verdict(&seen), (expected, words.to_owned()), "{seen:?}");
    }
}

#[test]
fn processes_at_work_are_not_stalled_and_without_two_looks_nobody_is() {
    let busy = Growth { cpu: Duration::from_millis(400), ..still() };
    let reading = Growth { io_bytes: 1 << 20, ..still() };
    for growth in [Some(busy), Some(reading), None] {
        let seen = Evidence { growth, ..evidence(At::Model, 4000) };
        assert_eq!(verdict(&seen).0, HealthVerdict::Quiet, "{growth:?}");
    }
}

#[test]
fn what_the_provider_and_the_system_say_counts_more_than_silence() {
    let errors =
        |count: usize, age: u64| Evidence { transient_errors: vec![seconds(age); count], ..evidence(At::Model, 1) };
    assert_eq!(verdict(&errors(4, 1)).0, HealthVerdict::Ok);
    assert_eq!(
        verdict(&errors(5, 1)),
        (HealthVerdict::Degraded, "its provider failed 5 times in the last 5 min".into())
    );
    assert_eq!(verdict(&errors(9, 301)).0, HealthVerdict::Ok, "older ones are forgotten");
    assert_eq!(verdict(&Evidence { auth_failed: true, ..errors(9, 1) }).0, HealthVerdict::AuthFailed);
    for (runner, expected) in [
        (Liveness::Dead, HealthVerdict::Gone),
        (Liveness::Zombie, HealthVerdict::Gone),
        (Liveness::Unknown("no answer".into()), HealthVerdict::Unknown),
    ] {
        let seen = Evidence { auth_failed: true, runner, ..errors(9, 1) };
        assert_eq!(verdict(&seen).0, expected);
        let ended = Evidence { at: At::Ending, auth_failed: false, transient_errors: vec![], ..seen };
        assert_eq!(verdict(&ended).0, HealthVerdict::Ok, "an end that was asked for");
    }
}

fn any_evidence(at: impl Strategy<Value = At>) -> impl Strategy<Value = Evidence> {
    let growth = (1u64..100, 0u64..100_000, 0u64..1_000_000, 0usize..9).prop_map(|(over, cpu, io_bytes, processes)| {
        Growth { over: seconds(over), cpu: Duration::from_millis(cpu), io_bytes, processes }
    });
    let runner = prop_oneof![
        Just(Liveness::Alive),
        Just(Liveness::Zombie),
        Just(Liveness::Dead),
        Just(Liveness::Unknown("?".into()))
    ];
    let errors = prop::collection::vec((0u64..1000).prop_map(seconds), 0..12);
    (at, 0u64..1_000_000, errors, any::<bool>(), prop::option::of(growth), runner).prop_map(
        |(at, silent, transient_errors, auth_failed, growth, runner)| Evidence {
            at,
            silent: seconds(silent),
            transient_errors,
            auth_failed,
            growth,
            runner,
        },
    )
}

proptest! {
    #[test]
    fn an_idle_agent_is_never_quiet_or_stalled(seen in any_evidence(Just(At::Idle))) {
        let (verdict, _) = verdict(&seen);
        prop_assert!(!matches!(verdict, HealthVerdict::Quiet | HealthVerdict::Stalled));
    }

    #[test]
    fn an_agent_that_waits_for_something_is_never_stalled(
        seen in any_evidence(prop_oneof![
            (0u64..100_000).prop_map(tool), Just(At::Permission), Just(At::Compacting), Just(At::Retry), Just(At::OwnRetry)
        ])
    ) {
        prop_assert_ne!(verdict(&seen).0, HealthVerdict::Stalled);
    }

    #[test]
    fn a_verdict_other_than_ok_has_its_reasons(seen in any_evidence(prop_oneof![Just(At::Idle), Just(At::Model)])) {
        let (verdict, reasons) = verdict(&seen);
        prop_assert_eq!(verdict == HealthVerdict::Ok, reasons.is_empty());
    }
}

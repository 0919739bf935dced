// Which processes does a replayed session have? A tree as a real one looks: keeper, runner, CLI, and what the agent runs.

import type { ProcessInfo } from '../../protocol/ProcessInfo';
import type { SessionId } from '../../protocol/SessionId';

const MB = 1_000_000;
const begun = Date.now();

/** The processes of a session at a time, in milliseconds; they grow older and use the CPU while it passes. */
export function processesOf(session: SessionId, now: number): ProcessInfo[] {
  const passed = now - begun;
  const of = (
    pid: number,
    parent: number,
    purpose: ProcessInfo['purpose'],
    command: string,
    rss: number,
    cpuMs: number,
    ageMs: number | null,
  ): ProcessInfo => ({ pid, parent, purpose, command, rss, cpuMs: cpuMs + Math.round(passed / 20), ageMs });
  const aged = (ms: number) => ms + passed;
  const tests =
    'cargo test --workspace --all-targets --no-fail-fast --message-format=json -- --test-threads=2 reach_is_short';
  return [
    of(4100, 1, 'keeper', `outrigger keep ${session}`, 5.3 * MB, 120, aged(182_000)),
    of(4102, 4100, 'runner', 'node runners/claude.mjs', 48 * MB, 900, aged(181_000)),
    of(
      4110,
      4102,
      'cli',
      'claude --output-format stream-json --input-format stream-json',
      310 * MB,
      8400,
      aged(180_500),
    ),
    of(4188, 4110, 'tool', `/bin/zsh -c ${tests}`, 3.1 * MB, 20, aged(38_000)),
    of(4190, 4188, 'tool', tests, 96 * MB, 41_000, aged(38_000)),
    of(4201, 1, 'tool', 'node scripts/serve.mjs --port 4173', 61 * MB, 700, null),
  ];
}

// What does a workspace look like on a busy afternoon? Six sessions of three agents at work, one of which asks; for pictures.

import type { ItemBody } from '../../protocol/ItemBody';
import type { SessionSummary } from '../../protocol/SessionSummary';
import {
  ended,
  idle,
  minutesAgo,
  session,
  standing,
  summary,
  working,
  type Scene,
  type SceneSession,
} from './scene_parts';
import { call, noUsage } from './script';

type Body = ItemBody | { body: ItemBody; parent: string };

const said = (text: string): ItemBody => ({ type: 'agentMessage', text, open: false });
const asked = (text: string): ItemBody => ({ type: 'userMessage', text, delivery: 'prompt', from: null });
const used = (inputTokens: number, outputTokens: number, costUsd: number) => ({
  ...noUsage,
  inputTokens,
  outputTokens,
  cacheReadTokens: inputTokens * 9,
  costUsd,
  contextUsed: 61_000,
  contextSize: 200_000,
});

function read(id: string, path: string, ms: number): ItemBody {
  const content = [{ type: 'text' as const, text: '…' }];
  return {
    type: 'toolCall',
    ...call(id, { name: 'Read', title: `Read ${path}`, kind: 'read', status: 'completed', durationMs: ms, content }),
  };
}

function ran(id: string, command: string, ms: number | null, text: string): ItemBody {
  return {
    type: 'toolCall',
    ...call(id, {
      name: 'Bash',
      title: `Bash ${command}`,
      kind: 'execute',
      status: ms === null ? 'running' : 'completed',
      ...(ms === null ? {} : { durationMs: ms }),
      input: { command },
      content: [{ type: 'text', text }],
    }),
  };
}

const oldLexer = `pub fn next_token(&mut self) -> Option<Token> {
    let line = self.lines.next()?;
    Some(Token::Line(line))
}
`;
const newLexer = `pub fn next_token(&mut self) -> Result<Option<Token>, LexError> {
    match self.lines.next() {
        Some(line) => Ok(Some(Token::Line(line?))),
        // The last line counts even when no newline ends it.
        None => Ok(self.rest.take().map(Token::Line)),
    }
}
`;

/** Ports a parser; has a sub-agent that writes tests. */
function porting(): Body[] {
  return [
    asked('Port the parser to the new lexer. Keep the public types; the error type may change.'),
    {
      type: 'thought',
      text: 'The parser calls next_token in eleven places. Six of them ignore the error today.',
      open: false,
    },
    read('p1', 'src/lexer.rs', 40),
    read('p2', 'src/parser.rs', 60),
    {
      type: 'plan',
      entries: [
        { content: 'Find every use of the old lexer', status: 'completed' },
        { content: 'Change `next_token` and what calls it', status: 'inProgress' },
        { content: 'Property tests for lines without an end', status: 'inProgress' },
        { content: 'Run the benchmarks against main', status: 'pending' },
      ],
    },
    said(
      '`next_token` has **eleven callers**; six of them drop the error. I change the lexer first, then the callers one by one, so that every step compiles.',
    ),
    {
      type: 'toolCall',
      ...call('p3', {
        name: 'Edit',
        title: 'Edit src/lexer.rs',
        kind: 'edit',
        status: 'completed',
        durationMs: 320,
        content: [{ type: 'diff', path: 'src/lexer.rs', oldText: oldLexer, newText: newLexer, patch: null }],
      }),
    },
    ran('p4', 'cargo check -p oars-parser', 6_200, 'error[E0308]: mismatched types'),
    said('As expected, the callers are next. Two of them are in `fn header`, where a missing line is no error:'),
    ran(
      'p5',
      'cargo test -p oars-parser',
      null,
      '   Compiling oars-parser v0.4.0\n   Running unittests src/lib.rs\nrunning 41 tests\n',
    ),
  ];
}

/** Renames a crate and waits for an answer. */
function renaming(): Body[] {
  return [
    asked('Rename the crate to outrigger-oars, and everything that names it. Run the tests after.'),
    read('r1', 'Cargo.toml', 40),
    ran('r2', "rg -l '\\boars\\b'", 120, 'Cargo.toml\nsrc/main.rs\nREADME.md\nbenches/stroke.rs'),
    said(
      'The crate is named in **four places**. I change them together, so that no commit stands between:\n\n- `Cargo.toml`, where the name is declared\n- `src/main.rs` and `benches/stroke.rs`, which import it\n- the badge in `README.md`\n\n> The published name stays free for a year after a rename.',
    ),
    {
      type: 'toolCall',
      ...call('r3', {
        name: 'Edit',
        title: 'Edit Cargo.toml',
        kind: 'edit',
        status: 'completed',
        durationMs: 380,
        content: [
          {
            type: 'diff',
            path: 'Cargo.toml',
            oldText: '[package]\nname = "oars"\nversion = "0.1.0"\n',
            newText: '[package]\nname = "outrigger-oars"\nversion = "0.2.0"\n',
            patch: null,
          },
        ],
      }),
    },
    { type: 'turnEnd', stopReason: 'endTurn', usage: used(4200, 1100, 0.18), durationMs: 84_000 },
    asked('Now the tests, from a clean build.'),
    {
      type: 'permission',
      requestId: 'r-clean',
      toolCallId: null,
      toolName: 'Bash',
      title: 'Run rm -rf target && cargo test --workspace',
      kind: 'execute',
      input: { command: 'rm -rf target && cargo test --workspace', cwd: '~/src/oars' },
      options: [],
      state: { type: 'pending' },
    },
  ];
}

function busy(id: string, title: string, minutes: number, items: Body[], more: Partial<SessionSummary>): SceneSession {
  return session(summary(id, title, 0, working(minutes), more), standing(items, minutesAgo(minutes)));
}

function asking(): SceneSession {
  const about = summary('b-rename', 'Rename the crate and everything that names it', 1, working(4), {
    usage: used(4200, 1100, 0.31),
  });
  const scene = session(about, standing(renaming(), minutesAgo(4)));
  const ask = scene.items.at(-1)?.body;
  if (scene.status && ask?.type === 'permission') {
    const since = minutesAgo(1);
    scene.status.permissions = [{ ask, since }];
    scene.status.state = {
      type: 'working',
      on: { type: 'permission', requestId: ask.requestId, since },
      since: minutesAgo(4),
    };
    scene.summary.liveness = { type: 'live', state: scene.status.state, waiting: 1, queued: 0 };
  }
  return scene;
}

/** Six sessions at work, and what came before. */
export function busyScene(): Scene {
  return {
    found: true,
    sessions: [
      asking(),
      busy('b-port', 'Port the parser to the new lexer', 12, porting(), { usage: used(9100, 5200, 1.12) }),
      busy(
        'b-tests',
        'Property tests for lines without an end',
        6,
        [
          asked('Write property tests for the lexer: any text, with and without a newline at its end.'),
          ran('t1', 'cargo test lexer_properties', null, 'running 3 tests\n'),
        ],
        { parent: 'b-port', provider: 'codex', model: 'gpt-6-codex', usage: used(2100, 900, 0.22) },
      ),
      busy(
        'b-night',
        'Why does the nightly build take an hour?',
        38,
        [
          asked('The nightly build takes an hour since Tuesday. Find out why.'),
          said('The cache key has the date in it, so every night starts cold.'),
        ],
        { provider: 'opencode', model: 'kimi-k3', usage: noUsage },
      ),
      busy('b-words', 'Error messages that say what to do', 3, [asked('Go through all error messages.')], {
        usage: used(1900, 700, 0.14),
      }),
      busy('b-tide', 'Tide tables for the southern ports', 21, [asked('Add the southern ports.')], {
        provider: 'codex',
        model: 'gpt-6-codex',
        usage: used(6100, 2800, 0.47),
      }),
      session(
        summary('b-idle', 'Explain how the strokes are timed', 55, idle, { usage: used(800, 600, 0.05) }),
        standing([asked('Explain how the strokes are timed.'), said('By a monotonic clock.')], minutesAgo(55)),
      ),
      session(
        summary('b-done', 'Bisect the flaky test', 180, ended('done', 180), {
          provider: 'codex',
          usage: used(3100, 900, 0.29),
        }),
        [],
      ),
      session(summary('b-stop', 'Try the other allocator', 60 * 26, ended('stopped', 60 * 26)), []),
    ],
  };
}

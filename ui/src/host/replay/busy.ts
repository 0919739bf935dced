// What does a workspace look like on a busy afternoon? Six sessions of three agents at work, one of which asks; for pictures. The
// sessions that are opened there are recordings of real agents, see `recorded.ts`.

import type { ItemBody } from '../../protocol/ItemBody';
import type { Liveness } from '../../protocol/Liveness';
import type { SessionSummary } from '../../protocol/SessionSummary';
import type { Usage } from '../../protocol/Usage';
import { recorded } from './recorded';
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

function busy(id: string, title: string, minutes: number, items: Body[], more: Partial<SessionSummary>): SceneSession {
  return session(summary(id, title, 0, working(minutes), more), standing(items, minutesAgo(minutes)));
}

function described(id: string, title: string, liveness: Liveness, usage: Usage): SessionSummary {
  return summary(id, title, 0, liveness, { usage });
}

/** Renames a package, and asks before it deletes a folder. */
function asking(): SceneSession {
  const { items } = recorded('rename', 1);
  const about = described(
    'b-rename',
    'Rename the package and everything that names it',
    working(2),
    used(4200, 1100, 0.31),
  );
  const scene = session(about, items);
  const ask = items.at(-1)?.body;
  if (scene.status && ask?.type === 'permission') {
    const since = minutesAgo(1);
    scene.status.permissions = [{ ask, since }];
    scene.status.state = {
      type: 'working',
      on: { type: 'permission', requestId: ask.requestId, since },
      since: minutesAgo(2),
    };
    scene.summary.liveness = { type: 'live', state: scene.status.state, waiting: 1, queued: 0 };
  }
  return scene;
}

/** Changes a lexer; has a sub-agent that writes tests. */
function lexing(): SceneSession {
  const about = described('b-port', 'Let the lexer tell where a line is wrong', working(1), used(9100, 5200, 1.12));
  return session(about, recorded('lexer', 0.3).items);
}

/** Has added what was wanted, and waits. */
function ports(): SceneSession {
  const more = { provider: 'codex', model: 'gpt-6-codex', usage: used(6100, 2800, 0.47) };
  return session(summary('b-tide', 'Tide tables for the southern ports', 4, idle, more), recorded('ports', 4).items);
}

/** Six sessions at work, and what came before. */
export function busyScene(): Scene {
  return {
    found: true,
    sessions: [
      asking(),
      lexing(),
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
      busy('b-heights', 'Heights in feet as well', 21, [asked('Let the table be read with heights in feet too.')], {
        provider: 'codex',
        model: 'gpt-6-codex',
        usage: used(3100, 1200, 0.26),
      }),
      ports(),
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

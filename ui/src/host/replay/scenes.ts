// Which scenes can be replayed? Each is a set of sessions as they stand when the page opens: `?replay=NAME`.

import type { ItemBody } from '../../protocol/ItemBody';
import { busyScene } from './busy';
import { hostileMarkdown } from './hostile';
import type { JsonValue } from '../../protocol/serde_json/JsonValue';
import type { ToolKind } from '../../protocol/ToolKind';
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
import { manyPods, podsScene } from './pods_scene';
import { showcase, subAgentItems } from './showcase';
import { troubles } from './troubles';

/** Many sessions in every state; one of them shows every kind of item. */
function states(): Scene {
  const asking = session(
    summary('s-ask', 'Rename the crate and everything that names it', 3, working(3)),
    standing(showcase(), minutesAgo(4)),
  );
  const last = asking.items.at(-1)?.body;
  if (asking.status && last?.type === 'permission') {
    const since = minutesAgo(1);
    asking.status.permissions = [{ ask: last, since }];
    asking.status.state = {
      type: 'working',
      on: { type: 'permission', requestId: last.requestId, since },
      since: minutesAgo(3),
    };
    asking.status.queue = [
      { promptId: 'q1', text: 'Then update the changelog, and mention the new name in the README too.' },
    ];
    asking.summary.liveness = { type: 'live', state: asking.status.state, waiting: 1, queued: 1 };
  }
  const broken = session(
    summary('s-broken', 'Bisect the flaky test', 240, ended('failed', 240), {
      provider: 'codex',
      model: 'gpt-6-codex',
    }),
    standing(brokenItems(), minutesAgo(240)),
  );
  return {
    found: true,
    sessions: [
      asking,
      session(
        summary('s-parent', 'Port the parser to the new lexer', 1, working(12)),
        standing(subAgentItems(), minutesAgo(12)),
      ),
      session(
        summary('s-child', 'Write property tests for the lexer', 2, working(6), {
          parent: 's-parent',
          provider: 'codex',
        }),
        [],
      ),
      session(
        summary('s-long', 'A title that somebody pasted in whole: ' + 'very '.repeat(12) + 'long', 44, idle),
        standing(longWords(), minutesAgo(44)),
      ),
      session(
        summary('s-idle', 'Explain the build', 65, idle, { usage: noUsage }),
        standing([{ type: 'userMessage', text: 'Explain the build', delivery: 'prompt', from: null }], minutesAgo(65)),
      ),
      broken,
      session(summary('s-stop', 'Try the other allocator', 60 * 26, ended('stopped', 60 * 26)), []),
      session(summary('s-int', 'Upgrade dependencies', 60 * 30, { type: 'interrupted' }), []),
      session(
        summary('s-done', 'Fix the typo in the README', 60 * 50, ended('done', 60 * 50), {
          usage: { ...noUsage, costUsd: 0.004 },
        }),
        [],
      ),
    ],
  };
}

/** The same, and a sub-agent and another session ask too: three requests wait. */
function waiting(): Scene {
  const scene = states();
  scene.sessions = scene.sessions.map((about) => {
    switch (about.summary.session) {
      case 's-child':
        return asks(about, 7, 'Write tests/lexer_properties.rs', 'edit', {
          file_path: 'tests/lexer_properties.rs',
          content: 'use proptest::prelude::*;\n\nproptest! {\n    #[test]\n    fn round_trip(source in ".*") {}\n}\n',
        });
      case 's-idle':
        return asks(about, 42, 'Fetch https://doc.example.org/build', 'fetch', {
          url: 'https://doc.example.org/build',
        });
      default:
        return about;
    }
  });
  return scene;
}

function asks(about: SceneSession, minutes: number, title: string, kind: ToolKind, input: JsonValue): SceneSession {
  const [toolName = title] = title.split(' ');
  const requestId = `ask-${about.summary.session}`;
  const ask = { requestId, toolCallId: null, toolName, title, kind, input, options: [] };
  const since = minutesAgo(minutes);
  const live = { ...about.summary, liveness: { ...working(minutes), waiting: 1 } };
  const body: ItemBody = { type: 'permission', ...ask, state: { type: 'pending' } };
  const asking = session(live, standing([...about.items.map((item) => item.body), body], since));
  if (asking.status) asking.status.permissions = [{ ask, since }];
  return asking;
}

function brokenItems(): ItemBody[] {
  return [
    {
      type: 'opened',
      provider: 'codex',
      model: 'gpt-6-codex',
      cwd: '~/src/oars',
      resumes: null,
      nativeSessionId: null,
      cliVersion: '0.144.1',
    },
    { type: 'userMessage', text: 'Find the commit that made `reach_is_short` flaky.', delivery: 'prompt', from: null },
    {
      type: 'notice',
      level: 'warning',
      code: 'untestedVersion',
      text: 'Codex 0.144.1 is newer than the newest version that Outrigger was tested with (0.143.0).',
    },
    {
      type: 'error',
      code: 'agentFailed',
      message: 'Codex ended with status 101 while it answered. The session can be resumed: its history is kept.',
      retryable: true,
      class: 'unknown',
      exitCode: 101,
      signal: null,
      stderrTail: [
        "thread 'main' panicked at core/src/client.rs:412:",
        'called `Result::unwrap()` on an `Err` value: ConnectionReset',
        'note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace',
      ],
    },
    { type: 'turnEnd', stopReason: 'error', usage: null, durationMs: 3100 },
    { type: 'ended', outcome: 'failed', survivors: ['node (pid 4711)'] },
  ];
}

function longWords(): ItemBody[] {
  const word = 'target/debug/build/' + 'a-very-long-path-without-a-break/'.repeat(14);
  return [
    {
      type: 'userMessage',
      text: `Look at ${word}\n\n${'And then some more words that go on. '.repeat(90)}`,
      delivery: 'prompt',
      from: null,
    },
    {
      type: 'agentMessage',
      text: `The path \`${word}\` is long, and so is this: ${word}\n\n${'A paragraph that goes on and on. '.repeat(40)}`,
      open: false,
    },
    {
      type: 'toolCall',
      ...call('long', {
        name: 'Bash',
        title: `Bash cat ${word}`,
        kind: 'execute',
        status: 'failed',
        durationMs: 83_000,
        input: { command: `cat ${word}` },
        content: [{ type: 'text', text: `cat: ${word}: No such file or directory` }],
      }),
    },
  ];
}

/** A transcript of that many items, of which only the ones in view are ever made. */
function long(count: number): Scene {
  const about = summary('s-huge', `${count.toLocaleString('en')} items`, 5, idle);
  const scene = session(about, []);
  scene.older = { count, at: longItem };
  scene.seq = count;
  return { found: true, sessions: [scene] };
}

function longItem(ordinal: number): ItemBody {
  switch (ordinal % 5) {
    case 0:
      return { type: 'userMessage', text: `Question ${ordinal}`, delivery: 'prompt', from: null };
    case 1:
      return { type: 'thought', text: `Thinking about ${ordinal}`, open: false };
    case 2:
      return {
        type: 'toolCall',
        ...call(`call-${ordinal}`, {
          name: 'Read',
          title: `Read src/file_${ordinal}.rs`,
          kind: 'read',
          status: 'completed',
          durationMs: 40,
          content: [{ type: 'text', text: 'fn main() {}' }],
        }),
      };
    case 3:
      return {
        type: 'agentMessage',
        text: `Answer **${ordinal}**. ${'It has some words. '.repeat(1 + (ordinal % 17))}`,
        open: false,
      };
    default:
      return { type: 'turnEnd', stopReason: 'endTurn', usage: { ...noUsage, outputTokens: 120 }, durationMs: 1500 };
  }
}

/** A finished answer of many paragraphs. */
function essay(): Scene {
  const text = Array.from({ length: 1500 }, (_, n) => `Paragraph ${n + 1} of an answer that goes on.`).join('\n\n');
  const items = standing(
    [
      { type: 'userMessage', text: 'Tell me everything.', delivery: 'prompt', from: null },
      { type: 'agentMessage', text, open: false },
      { type: 'turnEnd', stopReason: 'endTurn', usage: null, durationMs: 1500 },
    ],
    minutesAgo(10),
  );
  return { found: true, sessions: [session(summary('s-essay', 'Everything', 2, idle), items)] };
}

function hostile(): Scene {
  const items = standing(
    [
      {
        type: 'userMessage',
        text: '<img src=x onerror="window.pwned=20"> **not bold**',
        delivery: 'prompt',
        from: null,
      },
      { type: 'agentMessage', text: hostileMarkdown, open: false },
      {
        type: 'toolCall',
        ...call('h', {
          name: '<b>x</b>',
          title: 'Bash <img src=x onerror="window.pwned=21">',
          kind: 'execute',
          status: 'completed',
          input: { command: '<script>window.pwned=22</script>' },
          content: [
            {
              type: 'text',
              text: '\u001b]8;;javascript:alert(1)\u0007link\u001b]8;;\u0007 <img src=x onerror=window.pwned=23>',
            },
            { type: 'image', mimeType: 'image/svg+xml', data: 'PHN2Zy8+' },
          ],
        }),
      },
      { type: 'notice', level: 'info', code: 'x', text: '<script>window.pwned=24</script>' },
      {
        type: 'unknown',
        label: '<script>window.pwned=25</script>',
        raw: { html: '<img src=x onerror=window.pwned=26>' },
      },
    ],
    minutesAgo(2),
  );
  return {
    found: true,
    sessions: [session(summary('s-hostile', '<img src=x onerror="window.pwned=27">', 2, idle), items)],
  };
}

/** A busy afternoon in which an agent has used the tool of a sidecar. */
function withSidecars(): Scene {
  const scene = busyScene();
  const served: ItemBody = {
    type: 'toolCall',
    ...call('served', {
      name: 'mcp__outrigger__query',
      title: 'query select count(*) from sessions',
      kind: 'other',
      status: 'completed',
      durationMs: 340,
      input: { sql: 'select count(*) from sessions' },
      content: [{ type: 'text', text: '1204' }],
      sidecar: 'staging-db',
    }),
  };
  scene.sessions = scene.sessions.map((about) => {
    if (about.summary.session !== 'b-idle') return about;
    return session(about.summary, standing([...about.items.map(({ body }) => body), served], minutesAgo(55)));
  });
  return scene;
}

/** A scene by its name. An unknown name is the demo: nothing yet, an agent found. */
export function sceneOf(name: string): Scene {
  switch (name) {
    case 'states':
      return states();
    case 'busy':
      return busyScene();
    case 'sidecars':
      return withSidecars();
    case 'waiting':
      return waiting();
    case 'long':
      return long(100_000);
    case 'million':
      return long(1_000_000);
    case 'hostile':
      return hostile();
    case 'essay':
      return essay();
    case 'troubles':
      return troubles();
    case 'pods':
      return podsScene();
    case 'pods-many':
      return manyPods();
    case 'first-run':
      return { found: false, sessions: [] };
    case 'no-runtime':
      return { found: false, runtime: false, sessions: [] };
    default:
      return { found: true, sessions: [] };
  }
}

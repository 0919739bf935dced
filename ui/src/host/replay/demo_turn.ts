// What does the replayed demo agent do in a turn? The same as the real one: it looks around, thinks, answers, asks whether
// it may write a file, and writes it.

import { call, calls, noUsage, says, thinks, type Step } from './script';

const SUMMARY = '# Summary\n\nThree files, one of them Rust.\n\n- `README.md`\n- `Cargo.toml`\n- `src/lib.rs`\n';

const answer = (prompt: string) => `You asked: “${prompt.split('\n')[0]}”.

I looked at the workspace and found **3 files**. The biggest is \`src/lib.rs\`:

\`\`\`rust
/// How far an oar reaches, in metres.
pub fn reach(length: f64, angle: f64) -> f64 {
    length * angle.cos() // the shaft is straight
}
\`\`\`

1. It has one function, and no test.
2. The README does not mention it.

| file | lines |
| --- | ---: |
| \`README.md\` | 12 |
| \`src/lib.rs\` | 4 |

Next I would write a short summary.`;

/** The steps of one turn. Ids carry the turn's number, so that no two turns share one. */
export function demoTurn(prompt: string, turn: number): Step[] {
  const id = (name: string) => `${name}-${turn}`;
  const write = call(id('write'), {
    name: 'write_file',
    title: 'Write OUTRIGGER-DEMO.md',
    kind: 'edit',
    input: { path: 'OUTRIGGER-DEMO.md', content: SUMMARY },
  });
  return [
    ...thinks(
      id('live:thought'),
      'The user wants an overview. I will list the files, read the interesting ones, and then say what I found.',
    ),
    { type: 'item', wait: 40, body: { type: 'plan', entries: plan(0) } },
    ...calls(call(id('list'), { name: 'list_files', title: 'List files', kind: 'search', input: { path: '.' } }), 260, {
      content: [{ type: 'text', text: 'README.md (412 bytes)\nCargo.toml (120 bytes)\nsrc/lib.rs (164 bytes)' }],
    }),
    ...testRun(id('test')),
    ...says(id('live:answer'), answer(prompt)),
    { type: 'item', wait: 60, body: { type: 'toolCall', ...write } },
    {
      type: 'ask',
      wait: 60,
      ask: {
        requestId: id('ask'),
        toolCallId: write.toolCallId,
        toolName: write.name,
        title: write.title,
        kind: write.kind,
        input: write.input,
        options: [
          { outcome: 'allow', label: '' },
          { outcome: 'allowAlways', label: '' },
          { outcome: 'deny', label: '' },
        ],
      },
      denied: [
        { type: 'callEnds', wait: 60, call: write.toolCallId, change: { status: 'denied' } },
        ...says(id('live:no'), 'You denied it, so I did not write `OUTRIGGER-DEMO.md`.'),
        ends(turn),
      ],
    },
    { type: 'callRuns', wait: 40, call: write.toolCallId },
    {
      type: 'callEnds',
      wait: 180,
      call: write.toolCallId,
      change: {
        status: 'completed',
        durationMs: 180,
        content: [{ type: 'diff', path: 'OUTRIGGER-DEMO.md', oldText: null, newText: SUMMARY, patch: null }],
      },
    },
    ...says(id('live:done'), 'Done: I wrote the summary to `OUTRIGGER-DEMO.md`.'),
    ends(turn),
  ];
}

function testRun(id: string): Step[] {
  const begun = call(id, {
    name: 'shell',
    title: 'Run cargo test',
    kind: 'execute',
    input: { command: 'cargo test --quiet' },
  });
  return [
    { type: 'item', wait: 80, body: { type: 'toolCall', ...begun, status: 'running' } },
    { type: 'callPrints', wait: 300, call: id, text: '\u001b[1m\u001b[32m   Compiling\u001b[0m oars v0.1.0\n' },
    { type: 'callPrints', wait: 300, call: id, text: 'running 1 test\n' },
    {
      type: 'callEnds',
      wait: 300,
      call: id,
      change: {
        status: 'completed',
        durationMs: 980,
        content: [
          {
            type: 'text',
            text: '\u001b[1m\u001b[32m   Compiling\u001b[0m oars v0.1.0\nrunning 1 test\ntest reach_is_short ... \u001b[32mok\u001b[0m\n\ntest result: \u001b[32mok\u001b[0m. 1 passed',
          },
        ],
      },
    },
  ];
}

function plan(done: number) {
  return ['List the files', 'Read what matters', 'Write a summary'].map((content, n) => ({
    content,
    status: n < done ? ('completed' as const) : n === done ? ('inProgress' as const) : ('pending' as const),
  }));
}

function ends(turn: number): Step {
  const usage = {
    ...noUsage,
    inputTokens: 4200 * turn,
    outputTokens: 310,
    costUsd: 0.021,
    contextUsed: 5200 * turn,
    contextSize: 32_000,
  };
  return { type: 'end', wait: 60, reason: 'endTurn', usage, durationMs: 6400 };
}

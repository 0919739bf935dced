// What does a session look like that has one of everything? For looking at, and for pictures.

import type { ItemBody } from '../../protocol/ItemBody';
import { call, noUsage } from './script';

const before = `[package]\nname = "oars"\nversion = "0.1.0"\nedition = "2024"\n\n[dependencies]\nlibm = "0.2"\n`;
const after = `[package]\nname = "outrigger-oars"\nversion = "0.2.0"\nedition = "2024"\nlicense = "MIT"\n\n[dependencies]\nlibm = "0.2"\n`;

const explanation = `The crate is named in **three places**. I will change them together, so that no commit stands between:

- \`Cargo.toml\`, where the name is declared
- \`src/main.rs\`, which imports it
- the badge in \`README.md\`

\`\`\`rust
use outrigger_oars::reach;

fn main() {
    // An oar at thirty degrees.
    println!("{:.2} m", reach(2.4, 0.52));
}
\`\`\`

> The published name stays free for a year after a rename, see the [registry's rules](https://example.org/names).`;

/** One of every kind, with a request that waits at the end. */
export function showcase(): ItemBody[] {
  return [
    {
      type: 'opened',
      provider: 'claude',
      model: 'sonnet-5',
      cwd: '~/src/oars',
      resumes: null,
      nativeSessionId: null,
      cliVersion: '2.1.214',
    },
    {
      type: 'userMessage',
      text: 'Rename the crate to outrigger-oars, and everything that names it. Run the tests after.',
      delivery: 'prompt',
      from: null,
    },
    {
      type: 'thought',
      text: 'The name appears in the manifest and in imports. I should search for it first, because the README may have it too.',
      open: false,
    },
    {
      type: 'toolCall',
      ...call('t1', {
        name: 'Grep',
        title: 'Grep oars',
        kind: 'search',
        status: 'completed',
        durationMs: 120,
        input: { pattern: 'oars' },
        content: [{ type: 'text', text: 'Cargo.toml:2\nsrc/main.rs:1\nREADME.md:3' }],
      }),
    },
    {
      type: 'toolCall',
      ...call('t2', {
        name: 'Read',
        title: 'Read Cargo.toml',
        kind: 'read',
        status: 'completed',
        durationMs: 40,
        input: { path: 'Cargo.toml' },
        content: [{ type: 'text', text: before }],
      }),
    },
    {
      type: 'plan',
      entries: [
        { content: 'Find every mention', status: 'completed' },
        { content: 'Rename the crate', status: 'inProgress' },
        { content: 'Run the tests', status: 'pending' },
      ],
    },
    { type: 'agentMessage', text: explanation, open: false },
    {
      type: 'toolCall',
      ...call('t3', {
        name: 'Edit',
        title: 'Edit Cargo.toml',
        kind: 'edit',
        status: 'completed',
        durationMs: 380,
        content: [{ type: 'diff', path: 'Cargo.toml', oldText: before, newText: after, patch: null }],
      }),
    },
    {
      type: 'toolCall',
      ...call('t4', {
        name: 'Bash',
        title: 'Bash cargo test',
        kind: 'execute',
        status: 'failed',
        durationMs: 38_400,
        input: { command: 'cargo test --workspace' },
        content: [
          {
            type: 'text',
            text: '\u001b[1m\u001b[31merror[E0432]\u001b[0m\u001b[1m: unresolved import `oars`\u001b[0m\n \u001b[34m-->\u001b[0m src/main.rs:1:5\n\u001b[34m  |\u001b[0m\n\u001b[34m1 |\u001b[0m use oars::reach;\n  |     \u001b[31m^^^^ use of unresolved module\u001b[0m',
          },
        ],
      }),
    },
    { type: 'userMessage', text: 'Leave the README alone, I am editing it.', delivery: 'steer', from: null },
    { type: 'notice', level: 'info', code: 'compacted', text: 'The context was made smaller: 148k tokens became 31k.' },
    { type: 'unknown', label: 'rate_limit_event', raw: { status: 'allowed', resetsAt: 1795300000 } },
    {
      type: 'permission',
      requestId: 'r0',
      toolCallId: 't3',
      toolName: 'Edit',
      title: 'Edit Cargo.toml',
      kind: 'edit',
      input: {},
      options: [],
      state: { type: 'answered', outcome: 'allowAlways', message: null, by: 'user' },
    },
    {
      type: 'turnEnd',
      stopReason: 'endTurn',
      usage: { ...noUsage, inputTokens: 4200, cacheReadTokens: 31_000, outputTokens: 1100, costUsd: 0.031 },
      durationMs: 84_000,
    },
    { type: 'userMessage', text: 'Go on.', delivery: 'prompt', from: null },
    {
      type: 'toolCall',
      ...call('t5', {
        name: 'Bash',
        title: 'Bash rm -rf target && cargo test',
        kind: 'execute',
        input: { command: 'rm -rf target && cargo test' },
      }),
    },
    {
      type: 'permission',
      requestId: 'r1',
      toolCallId: 't5',
      toolName: 'Bash',
      title: 'Run rm -rf target && cargo test',
      kind: 'execute',
      input: { command: 'rm -rf target && cargo test', cwd: '~/src/oars' },
      options: [],
      state: { type: 'pending' },
    },
  ];
}

/** A session whose agent sent another one off. */
export function subAgentItems(): (ItemBody | { body: ItemBody; parent: string })[] {
  const steps = ['Read src/lexer.rs', 'Read src/parser.rs', 'Grep Token::', 'Read tests/lexer.rs'];
  return [
    { type: 'userMessage', text: 'Port the parser to the new lexer.', delivery: 'prompt', from: null },
    {
      type: 'toolCall',
      ...call('sub', {
        name: 'Task',
        title: 'Task find every use of the old lexer',
        kind: 'delegate',
        status: 'running',
        input: { description: 'Find every use of the old lexer', prompt: 'List each use with file and line.' },
      }),
    },
    ...steps.map((title, n) => ({
      parent: 'sub',
      body: {
        type: 'toolCall' as const,
        ...call(`sub-${n}`, {
          name: 'Read',
          title,
          kind: 'read',
          status: 'completed',
          durationMs: 60 + n * 20,
          content: [{ type: 'text', text: 'pub enum Token {}' }],
        }),
      },
    })),
    { parent: 'sub', body: { type: 'agentMessage', text: 'There are **14 uses** in two files.', open: false } },
    { type: 'agentMessage', text: 'While that runs I will sketch the new types.', open: false },
  ];
}

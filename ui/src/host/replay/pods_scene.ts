// What does a pod tree look like at work? One that delegates to six others with scopes beside each other, and some that have ended.

import type { Confinement } from '../../protocol/Confinement';
import type { Item } from '../../protocol/Item';
import type { Liveness } from '../../protocol/Liveness';
import type { ItemBody } from '../../protocol/ItemBody';
import type { SessionSummary } from '../../protocol/SessionSummary';
import type { TreePod } from '../../protocol/TreePod';
import { enforced, held, treePod } from './pods';
import { ended, idle, minutesAgo, session, summary, working, type Scene, type SceneSession } from './scene_parts';
import { call, noUsage, stands } from './script';

const partial: Confinement = {
  level: 'partial',
  by: 'Landlock ABI 2',
  why: ['This kernel cannot refuse truncating a file outside the scope.'],
  open: [],
};
const advised: Confinement = {
  level: 'advised',
  by: null,
  why: ['The kernel has no Landlock, or a container hides it.'],
  open: [],
};

const said = (text: string): ItemBody => ({ type: 'agentMessage', text, open: false });
const asked = (text: string, from: string | null = null, delivery: 'prompt' | 'notify' = 'prompt'): ItemBody => ({
  type: 'userMessage',
  text,
  delivery,
  from,
});
const turn = (seconds: number, costUsd: number): ItemBody => ({
  type: 'turnEnd',
  stopReason: 'endTurn',
  usage: { ...noUsage, outputTokens: 900, costUsd },
  durationMs: seconds * 1000,
});
const notice = (code: string, text: string, level: 'info' | 'warning' = 'warning'): ItemBody => ({
  type: 'notice',
  level,
  code,
  text,
});
const spawned = ({ entry }: TreePod, provider: string, task: string): ItemBody => ({
  type: 'pod',
  session: entry.session,
  name: entry.name,
  provider,
  task,
  rules: entry.scope,
});

/** Items that came so many minutes ago. */
function timed(items: [number, ItemBody][]): Item[] {
  return items.map(([minutes, body], ordinal) => stands(ordinal, body, minutesAgo(minutes)));
}

const budget = {
  depth: 3,
  children: 6,
  pods: 12,
  spawns: 24,
  spawnsPerMinute: 10,
  turns: 200,
  costUsd: 10,
  wallSeconds: 4 * 3600,
};

const main = treePod('p-main', 'Port the stroke planner', null, 42, {
  budget,
  used: { depth: 2, children: 4, pods: 5, spawns: 8, turns: 41, costUsd: 4.37, wallSeconds: 42 * 60 },
});
const core = treePod(
  'p-core',
  'stroke-core',
  'p-main',
  31,
  { scope: [held('src/crew')], used: { depth: 1, children: 1, pods: 1, spawns: 1, turns: 9, costUsd: 1.62 } },
  enforced,
);
const tests = treePod(
  'p-tests',
  'coxswain',
  'p-core',
  17,
  { scope: [held('src/crew/coxswain.rs', 'file')], used: { turns: 4, costUsd: 0.31 } },
  enforced,
);
const guide = treePod(
  'p-guide',
  'guide',
  'p-main',
  28,
  {
    scope: [held('docs')],
    budget: { ...budget, depth: 0, pods: 0, children: 0, spawns: 0, turns: 5, costUsd: 0.5, wallSeconds: 1800 },
    used: { turns: 5, costUsd: 0.44, wallSeconds: 28 * 60 },
  },
  advised,
);
const reach = treePod(
  'p-reach',
  'reach-tests',
  'p-main',
  22,
  { scope: [held('tests/reach.rs', 'file'), held('src', 'tree', 'read')], used: { turns: 6, costUsd: 0.58 } },
  enforced,
);
const audit = treePod(
  'p-audit',
  'audit',
  'p-main',
  9,
  { scope: [held('', 'tree', 'read')], used: { turns: 2, costUsd: 0.19 } },
  partial,
);
const names = treePod('p-names', 'names', 'p-main', 38, {
  outcome: 'completed',
  endedAt: Date.now() - 29 * 60_000,
  scope: [held('src/oar.rs', 'file')],
  used: { turns: 3, costUsd: 0.22 },
});
const bench = treePod('p-bench', 'bench', 'p-main', 26, {
  outcome: 'failed',
  endedAt: Date.now() - 24 * 60_000,
  scope: [held('.github')],
  used: { turns: 1, costUsd: 0.04 },
});
const old = treePod('p-old', 'old-planner', 'p-main', 40, {
  outcome: 'disconnected',
  endedAt: Date.now() - 33 * 60_000,
  scope: [held('src/boat.rs', 'file')],
  used: { turns: 2, costUsd: 0.11 },
});

function pod(
  { entry }: TreePod,
  minutes: number,
  liveness: SessionSummary['liveness'],
  provider: string,
  costUsd: number,
  items: [number, ItemBody][],
): SceneSession {
  const about = summary(entry.session, entry.name, minutes, liveness, {
    provider,
    parent: entry.spawnedBy,
    model: null,
    usage: { ...noUsage, inputTokens: 12_000, outputTokens: 3000, costUsd },
  });
  return session(about, timed(items));
}

function asking(): SceneSession {
  const ask = {
    requestId: 'ask-cox',
    toolCallId: null,
    toolName: 'Edit',
    title: 'Edit src/crew/coxswain.rs',
    kind: 'edit' as const,
    input: { file_path: 'src/crew/coxswain.rs', old_string: 'let call = 1;', new_string: 'let call = rate();' },
    options: [],
  };
  const made = pod(tests, 1, { ...working(2), waiting: 1 } as Liveness, 'demo', 0.31, [
    [17, notice('scope', 'It may write src/crew/coxswain.rs. The kernel enforces it (Landlock ABI 6).', 'info')],
    [17, asked('Let the coxswain call the rate, and test it.', 'stroke-core')],
    [12, turn(260, 0.12)],
    [6, asked('The rate is a function now; use it.', 'stroke-core')],
    [1, { type: 'permission', ...ask, state: { type: 'pending' } }],
  ]);
  const since = minutesAgo(1);
  if (made.status) {
    made.status.permissions = [{ ask, since }];
    made.status.state = { type: 'working', on: { type: 'permission', requestId: ask.requestId, since }, since };
  }
  return made;
}

function root(): SceneSession {
  return pod(main, 1, working(3), 'claude', 1.42, [
    [42, asked('Port the stroke planner to the new crew model. Delegate what can be done side by side.')],
    [41, said('I split the work by folder, so that nobody waits for anybody.')],
    [40, spawned(old, 'opencode', 'Say what the old planner does with a headwind.')],
    [38, spawned(names, 'demo', 'Give the fields of Oar the names of the new model.')],
    [36, turn(340, 0.31)],
    [33, notice('pod_ended', 'Pod old-planner is gone without a word.')],
    [
      31,
      spawned(core, 'codex', 'Port src/crew to the new model. Keep the public types; spawn a pod for the coxswain.'),
    ],
    [29, asked('names has completed: “The fields have their new names.”', 'names', 'notify')],
    [28, spawned(guide, 'opencode', 'Rewrite the rowing guide for the new planner.')],
    [26, spawned(bench, 'codex', 'Run the benchmarks in CI.')],
    [24, notice('pod_ended', 'Pod bench has failed.')],
    [22, spawned(reach, 'claude', 'Property tests for the reach, in tests/reach.rs.')],
    [20, turn(420, 0.52)],
    [
      15,
      notice(
        'budget_used',
        'spawns within a minute under the budget of `Port the stroke planner`: 10 of 10 used; wait a minute, then spawn again',
      ),
    ],
    [9, spawned(audit, 'codex', 'Look for callers of the old planner that nobody has changed yet.')],
    [8, asked('reach-tests: “41 properties hold; one fails in src/crew.”', 'reach-tests', 'notify')],
    [
      4,
      {
        type: 'toolCall',
        ...call('w1', {
          name: 'wait_for_pods',
          title: 'Wait for stroke-core, audit',
          kind: 'delegate',
          status: 'running',
          input: { names: ['stroke-core', 'audit'] },
        }),
      },
    ],
  ]);
}

/** A tree of many hands, in every state. */
export function podsScene(): Scene {
  return {
    found: true,
    trees: [
      main,
      old,
      names,
      core,
      guide,
      bench,
      reach,
      tests,
      audit,
      treePod('p-free', 'Explain the build', null, 50),
    ],
    sessions: [
      root(),
      pod(core, 1, working(4), 'codex', 1.31, [
        [31, notice('scope', 'It may write src/crew/. The kernel enforces it (Landlock ABI 6).', 'info')],
        [
          31,
          asked(
            'Port src/crew to the new model. Keep the public types; spawn a pod for the coxswain.',
            'Port the stroke planner',
          ),
        ],
        [24, turn(380, 0.6)],
        [17, spawned(tests, 'demo', 'Let the coxswain call the rate, and test it.')],
        [11, turn(200, 0.4)],
        [
          4,
          asked(
            'The reach tests found a property that fails in src/crew: look at it first.',
            'Port the stroke planner',
          ),
        ],
      ]),
      asking(),
      pod(guide, 6, idle, 'opencode', 0.44, [
        [
          28,
          notice('scope', 'It may write docs/. Nothing enforces it: it is advised, and foreign writes are reported.'),
        ],
        [28, asked('Rewrite the rowing guide for the new planner.', 'Port the stroke planner')],
        [21, turn(330, 0.2)],
        [
          14,
          notice(
            'foreign_write',
            'Written past a scope: ~/src/oars/README.md was written by process 4711 (opencode run), 2 times; session p-main may write there.',
          ),
        ],
        [12, turn(200, 0.12)],
        [7, turn(90, 0.06)],
        [6, notice('budget_used', 'turns of the budget of `guide`: 5 of 5 used; only the user can raise it')],
      ]),
      pod(reach, 8, idle, 'claude', 0.58, [
        [22, asked('Property tests for the reach, in tests/reach.rs.', 'Port the stroke planner')],
        [8, turn(700, 0.5)],
      ]),
      pod(audit, 1, working(9), 'codex', 0.19, [
        [9, asked('Look for callers of the old planner that nobody has changed yet.', 'Port the stroke planner')],
      ]),
      pod(names, 29, ended('done', 29), 'demo', 0.22, [
        [38, asked('Give the fields of Oar the names of the new model.', 'Port the stroke planner')],
        [29, turn(500, 0.2)],
        [29, { type: 'ended', outcome: 'done', survivors: [] }],
      ]),
      pod(bench, 24, ended('failed', 24), 'codex', 0.04, [
        [26, asked('Run the benchmarks in CI.', 'Port the stroke planner')],
        [
          24,
          {
            type: 'error',
            code: 'agentFailed',
            message: 'Codex ended with status 1 while it answered.',
            retryable: true,
            class: 'unknown',
            exitCode: 1,
            signal: null,
            stderrTail: [],
          },
        ],
        [24, { type: 'ended', outcome: 'failed', survivors: [] }],
      ]),
      pod(old, 33, { type: 'interrupted' }, 'opencode', 0.11, [
        [40, asked('Say what the old planner does with a headwind.', 'Port the stroke planner')],
      ]),
      session(summary('p-free', 'Explain the build', 50, idle), timed([[50, asked('Explain the build')]])),
      session(summary('p-none', 'From before there were trees', 300, ended('done', 300)), []),
    ],
  };
}

/** Fifty pods, with names of every length, four generations deep. */
export function manyPods(): Scene {
  const long = 'a-name-that-somebody-made-from-the-whole-of-the-task-and-then-some-more-of-it';
  const pods = Array.from({ length: 50 }, (_, n) => {
    const parent = n === 0 ? null : `m-${n % 7 === 0 ? 0 : Math.floor((n - 1) / 3)}`;
    const scope = n === 0 ? null : [held(`src/part_${n}/${n % 5 === 0 ? long : 'x'}`)];
    const gone = n > 30 && n % 3 === 0 ? { outcome: 'completed' as const, endedAt: Date.now() - n * 1000 } : {};
    return treePod(`m-${n}`, n % 9 === 4 ? `${long}-${n}` : `pod-${n}`, parent, 60 - n, { scope, ...gone }, enforced);
  });
  const sessions = pods.map((one, n) =>
    pod(
      one,
      1 + (n % 5),
      one.entry.outcome === null ? (n % 4 === 0 ? idle : working(n % 9)) : ended('done', 2),
      'codex',
      n / 10,
      [
        [60 - n, asked(`Do part ${n}.`, n === 0 ? null : 'pod-0')],
        [Math.max(1, 30 - n), turn(60 + n * 5, 0.02)],
      ],
    ),
  );
  return { found: true, trees: pods, sessions };
}

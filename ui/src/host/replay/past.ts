// What happened before the replayed scene? Some sessions of other folders that can be found, and six weeks of usage.

import type { SearchHit } from '../../protocol/SearchHit';
import type { SearchKind } from '../../protocol/SearchKind';
import type { UsageReport } from '../../protocol/UsageReport';
import type { UsageRequest } from '../../protocol/UsageRequest';
import type { UsageRow } from '../../protocol/UsageRow';
import type { UsageShare } from '../../protocol/UsageShare';
import { archiveState, soundArchive } from './archive';
import { minutesAgo } from './scene_parts';

const DAY = 24 * 60;

type Said = [
  session: string,
  title: string,
  provider: string,
  workspace: string,
  kind: SearchKind,
  minutes: number,
  text: string,
];

const said: Said[] = [
  [
    'x-tides',
    'Read tide tables from the harbour office',
    'claude',
    '~/src/tides',
    'prompt',
    2 * DAY,
    'The parser drops the last line of a tide table when it has no newline. Find out why and write a test that fails first.',
  ],
  [
    'x-tides',
    'Read tide tables from the harbour office',
    'claude',
    '~/src/tides',
    'message',
    2 * DAY - 2,
    'The lexer only emits a token when it sees a newline, so the parser never gets the last one. I will flush it at the end of the input and rename `finish` to `finish_line`.',
  ],
  [
    'x-tides',
    'Read tide tables from the harbour office',
    'claude',
    '~/src/tides',
    'toolCall',
    2 * DAY - 4,
    'Bash cargo test -p tides-parser\ntest lexer::last_line_without_newline ... ok\ntest result: ok. 41 passed; 0 failed',
  ],
  [
    'x-charts',
    'Chart colours for colour-blind readers',
    'codex',
    '~/src/charts',
    'message',
    9 * DAY,
    'I checked the palette against deuteranopia and protanopia. Two pairs were too close; the new ones keep a contrast of 3:1 beside each other. I did not rename the tokens.',
  ],
  [
    'x-buoy',
    'Firmware: watchdog resets after 49 days',
    'opencode',
    '~/src/buoy',
    'error',
    17 * DAY,
    'The agent could not reach its provider: connection reset by peer. Retried 5 times in 4 m 10 s.',
  ],
  [
    'x-buoy',
    'Firmware: watchdog resets after 49 days',
    'opencode',
    '~/src/buoy',
    'thought',
    17 * DAY + 3,
    '49.7 days is 2^32 milliseconds. The crate keeps its tick in a u32, and the comparison does not wrap.',
  ],
];

/** Items of other folders with all of their words. */
export function pastHits(): { hit: SearchHit; text: string }[] {
  return said.map(([session, title, provider, workspace, kind, minutes, text], seq) => ({
    hit: { session, title, provider, workspace, seq, item: `${seq}.0`, kind, at: minutesAgo(minutes), snippet: [] },
    text,
  }));
}

interface Turn {
  day: string;
  at: number;
  provider: string;
  workspace: string;
  model: string;
  session: string;
  tree: string;
  title: string;
  input: number;
  output: number;
  cached: number;
  cost: number | null;
}

/** Providers with what a turn of theirs costs; one tells no cost. */
const weights: [provider: string, model: string, often: number, cost: number | null][] = [
  ['claude', 'sonnet-5', 9, 0.21],
  ['claude', 'opus-5', 3, 0.74],
  ['codex', 'gpt-6-codex', 5, 0.16],
  ['opencode', 'kimi-k3', 3, null],
];

const works: [workspace: string, title: string][] = [
  ['~/src/oars', 'Port the parser to the new lexer'],
  ['~/src/oars', 'Rename the crate and everything that names it'],
  ['~/src/tides', 'Read tide tables from the harbour office'],
  ['~/src/charts', 'Chart colours for colour-blind readers'],
  ['~/src/buoy', 'Firmware: watchdog resets after 49 days'],
];

/** The same turns whenever they are asked for: a small generator of numbers in place of chance. */
function turns(): Turn[] {
  const all: Turn[] = [];
  let state = 20_261_121;
  const next = (below: number) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * below);
  };
  for (let back = 0; back < 44; back++) {
    const date = new Date(Date.now() - back * DAY * 60_000);
    const isWeekend = date.getDay() % 6 === 0;
    if (isWeekend && next(3) > 0) continue;
    const day = [date.getFullYear(), date.getMonth() + 1, date.getDate()]
      .map((n) => String(n).padStart(2, '0'))
      .join('-');
    for (let turn = 0, many = 4 + next(isWeekend ? 6 : 22); turn < many; turn++) {
      const [provider, model, , cost] = weights[pick(next)] ?? ['claude', 'sonnet-5', 1, 0.2];
      const work = next(works.length);
      const [workspace, title] = works[work] ?? ['~/src/oars', ''];
      const size = 1 + next(9);
      all.push({
        day,
        at: date.getTime(),
        provider,
        model,
        workspace,
        session: `u-${work}-${next(3)}`,
        tree: `u-${work}-0`,
        title,
        input: size * 900,
        output: size * 340,
        cached: size * 21_000,
        cost: cost === null ? null : (cost * size) / 4,
      });
    }
  }
  return all;
}

function pick(next: (below: number) => number): number {
  let rest = next(weights.reduce((sum, [, , often]) => sum + often, 0));
  return Math.max(
    0,
    weights.findIndex(([, , often]) => (rest -= often) < 0),
  );
}

/** What was used in the pretended past. */
export function pastUsage(request: UsageRequest, query: URLSearchParams): UsageReport {
  soundArchive(query);
  const since = request.since === undefined ? 0 : Date.parse(request.since);
  const all = (query.get('archive') === 'empty' ? [] : turns()).filter(
    (turn) =>
      turn.at >= since &&
      (request.provider === undefined || turn.provider === request.provider) &&
      (request.workspace === undefined || turn.workspace === request.workspace),
  );
  const sums = grouped(all, (turn) => turn[request.by]);
  const rows = [...sums].map(([key, some]) => rowOf(key, some, request.by));
  if (request.by === 'day') rows.sort((a, b) => (a.key < b.key ? -1 : 1));
  else rows.sort((a, b) => (b.costUsd ?? 0) - (a.costUsd ?? 0));
  const noCost = [...new Set(all.filter((turn) => turn.cost === null).map((turn) => turn.provider))];
  return { rows, total: rowOf('', all, 'day'), noCost, state: archiveState(query) };
}

function grouped(all: Turn[], key: (turn: Turn) => string): Map<string, Turn[]> {
  const groups = new Map<string, Turn[]>();
  for (const turn of all) groups.set(key(turn), [...(groups.get(key(turn)) ?? []), turn]);
  return groups;
}

function rowOf(key: string, some: Turn[], by: UsageRequest['by']): UsageRow {
  const sum = (of: (turn: Turn) => number) => some.reduce((total, turn) => total + of(turn), 0);
  const costOf = (told: Turn[]) =>
    told.filter((turn) => turn.cost !== null).reduce((all, turn) => all + (turn.cost ?? 0), 0);
  const shares = [...grouped(some, (turn) => turn.provider)].map(([provider, own]): UsageShare => {
    const tokens = own.reduce((all, turn) => all + turn.input + turn.output + turn.cached, 0);
    return { provider, tokens, costUsd: own.some((turn) => turn.cost !== null) ? costOf(own) : null };
  });
  const first = some[0];
  const isOfSessions = by === 'session' || by === 'tree';
  return {
    key,
    session:
      isOfSessions && first ? { title: first.title, provider: first.provider, workspace: first.workspace } : null,
    shares: shares.sort((a, b) => (b.costUsd ?? 0) - (a.costUsd ?? 0)),
    sessions: new Set(some.map((turn) => turn.session)).size,
    turns: some.length,
    inputTokens: sum((turn) => turn.input),
    outputTokens: sum((turn) => turn.output),
    cacheReadTokens: sum((turn) => turn.cached),
    cacheWriteTokens: sum((turn) => Math.round(turn.cached / 12)),
    costUsd: some.some((turn) => turn.cost !== null) ? costOf(some) : null,
    turnsWithoutCost: some.filter((turn) => turn.cost === null).length,
    turnsWithoutUsage: 0,
  };
}

import { expect, test } from 'vitest';
import type { UsageReport } from '../../protocol/UsageReport';
import type { UsageRow } from '../../protocol/UsageRow';
import { dayBars, firstMetric, providersOf, sinceOf } from './usage_words';

function row(key: string, shares: [string, number, number | null][]): UsageRow {
  return {
    key,
    session: null,
    shares: shares.map(([provider, tokens, costUsd]) => ({ provider, tokens, costUsd })),
    sessions: 1,
    turns: 1,
    inputTokens: 0,
    outputTokens: 0,
    cacheReadTokens: 0,
    cacheWriteTokens: 0,
    costUsd: null,
    turnsWithoutCost: 0,
    turnsWithoutUsage: 0,
  };
}

const report: UsageReport = {
  rows: [
    row('2026-11-19', [['codex', 10, 0.5]]),
    row('2026-11-21', [
      ['claude', 5, 2],
      ['local', 99, null],
    ]),
  ],
  total: row('', [
    ['codex', 10, 0.5],
    ['claude', 5, 2],
    ['local', 99, null],
  ]),
  noCost: ['local'],
  state: { sessionsBehind: 0, bytesBehind: 0, fedElsewhere: false },
};
const now = new Date(2026, 10, 21, 15).getTime();

test('every day has a bar, and the providers stand in the same order in each', () => {
  const bars = dayBars(report, 'cost', '7', now);
  expect(bars.map((bar) => bar.key).slice(-3)).toEqual(['2026-11-19', '2026-11-20', '2026-11-21']);
  expect(bars).toHaveLength(7);
  expect(bars.at(-1)?.parts).toEqual([
    { kind: 'claude', value: 2 },
    { kind: 'codex', value: 0 },
  ]);
});

test('who tells no cost has a part of the tokens only', () => {
  expect(providersOf(report, 'cost')).toEqual(['claude', 'codex']);
  expect(providersOf(report, 'tokens')).toEqual(['local', 'codex', 'claude']);
});

test('all time begins with the first day', () => {
  expect(dayBars(report, 'tokens', 'all', now).map((bar) => bar.label)).toEqual(['Nov 19', 'Nov 20', 'Nov 21']);
  expect(sinceOf('all', now)).toBeUndefined();
  expect(sinceOf('7', now)).toBe(new Date(2026, 10, 15).toISOString());
});

test('where nobody told a cost, tokens are shown first', () => {
  const free = row('', []);
  expect(firstMetric({ ...free, inputTokens: 7 })).toBe('tokens');
  expect(firstMetric({ ...free, inputTokens: 7, costUsd: 0.2 })).toBe('cost');
  expect(firstMetric(free)).toBe('cost');
});

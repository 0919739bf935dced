// Are figures short, and right at the edges where one unit becomes the next?

import { expect, it } from 'vitest';
import { age, bytes, cost, count, duration, elapsed, elapsedShort, shortId, timeOf, usageWords } from './figures';

it.each([
  [0, '0.1 s'],
  [400, '0.4 s'],
  [949, '0.9 s'],
  [1000, '1 s'],
  [9_940, '9.9 s'],
  [38_400, '38 s'],
  [59_700, '1 m 00 s'],
  [125_000, '2 m 05 s'],
  [4_320_000, '1 h 12 m'],
])('%i ms is %s', (ms, words) => expect(duration(ms)).toBe(words));

it.each([
  [940, '940'],
  [4200, '4.2k'],
  [128_000, '128k'],
  [999_600, '1M'],
  [1_300_000, '1.3M'],
])('%i tokens are %s', (n, words) => expect(count(n)).toBe(words));

it.each([
  [0.004, '<$0.01'],
  [0.031, '$0.03'],
  [12, '$12.00'],
])('%d dollars are %s', (usd, words) => expect(cost(usd)).toBe(words));

it('says times from a clock', () => {
  const now = Date.parse('2026-01-02T00:00:00Z');
  expect(elapsed('2026-01-01T23:59:20Z', now)).toBe('40 s');
  expect(elapsed('2026-01-02T00:00:09Z', now), 'a clock that runs ahead').toBe('0 s');
  expect(elapsedShort('2026-01-01T21:00:00Z', now)).toBe('3h');
  expect(age('2026-01-01T21:00:00Z', now)).toBe('3h');
  expect(age('not a time', now)).toBe('');
  expect(bytes(5_300_000)).toBe('5.3 MB');
});

it('leaves out what is not known', () => {
  const nothing = {
    inputTokens: null,
    outputTokens: null,
    cacheReadTokens: null,
    cacheWriteTokens: null,
    costUsd: null,
    contextUsed: null,
    contextSize: null,
  };
  expect(usageWords(nothing)).toEqual([]);
  expect(usageWords({ ...nothing, inputTokens: 200, cacheReadTokens: 4000, costUsd: 0.5 })).toEqual([
    '4.2k in',
    '$0.50',
  ]);
});

it('shortens ids to what tells them apart, and times to what is needed today', () => {
  expect(shortId('7c0f2a52-9d1c-4f6e-8f0e-2b7d3f1c9a10')).toBe('7c0f2a52');
  expect(shortId('demo-d7511565-697a')).toBe('d7511565');
  expect(shortId('thread_9')).toBe('thread_9');
  const now = new Date(2026, 10, 21, 16, 0).getTime();
  expect(timeOf(new Date(2026, 10, 21, 14, 33).toISOString(), now)).toBe('2:33 PM');
  expect(timeOf(new Date(2026, 10, 20, 14, 33).toISOString(), now)).toBe('Nov 20, 2:33 PM');
});

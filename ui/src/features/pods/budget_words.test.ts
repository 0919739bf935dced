// Are limits read and written as people mean them?

import { expect, test } from 'vitest';
import { budgetFrom, limits, read, share, typed, unlimited, type Limit } from './budget_words';

const limit = (key: Limit['key']) => limits.find((one) => one.key === key) as Limit;

test('a limit is read in its own unit, and nothing means none', () => {
  expect(read(limit('wallSeconds'), '30')).toBe(1800);
  expect(typed(limit('wallSeconds'), 1800)).toBe('30');
  expect(read(limit('costUsd'), '$2,50')).toBe(2.5);
  expect(read(limit('turns'), '')).toBeNull();
  for (const wrong of ['many', '-1', '1.5', 'NaN']) expect(read(limit('turns'), wrong)).toBeUndefined();
  expect(budgetFrom({ turns: '4' })).toEqual({ budget: { ...unlimited, turns: 4 } });
  expect(budgetFrom({ pods: 'x' })).toEqual({ wrong: 'pods' });
});

test('what is not allowed at all is not used up', () => {
  expect(share(0, 0).tone).toBe('plain');
  expect(share(1, 0).tone).toBe('bad');
  expect(share(4, 5)).toEqual({ part: 0.8, tone: 'warn' });
  expect(share(9, 5)).toEqual({ part: 1, tone: 'bad' });
});

// Does a countdown count down, and is an end told by what ended it?

import { expect, it } from 'vitest';
import type { Retry } from '../protocol/Retry';
import { endWords, retryWords } from './trouble_words';

const retry: Retry = { attempt: 2, of: 3, at: '2026-01-01T00:00:08Z', class: 'overloaded', by: 'outrigger' };
const at = (seconds: number) => Date.parse('2026-01-01T00:00:00Z') + seconds * 1000;

it('counts down to the next attempt and never below zero', () => {
  expect(retryWords(retry, at(0))).toBe('Trying again (2 of 3) in 8 s');
  expect(retryWords(retry, at(7.2))).toBe('Trying again (2 of 3) in 1 s');
  expect(retryWords(retry, at(9))).toBe('Trying again (2 of 3) now');
  expect(retryWords({ ...retry, by: 'agent' }, at(0))).toBe('The agent is trying again (2 of 3) in 8 s');
});

it('names the signal before the exit code, and nothing when nothing is known', () => {
  expect(endWords(0, null)).toBe('Exit code 0');
  expect(endWords(137, 'SIGKILL')).toBe('Ended by SIGKILL');
  expect(endWords(null, null)).toBeNull();
});

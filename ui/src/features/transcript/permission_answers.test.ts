// What does a question of the agent offer to choose from?

import { expect, test } from 'vitest';
import { choicesOf } from './permission_answers';

const colour = { question: 'Which colour?', options: [{ label: 'Red' }, { label: 'Blue' }] };

test('one question with choices has a button for each', () => {
  expect(choicesOf({ questions: [colour] })).toEqual(['Red', 'Blue']);
  expect(choicesOf({ questions: [{ question: 'Why?', options: null }] })).toEqual([]);
  expect(choicesOf({ questions: [{ options: [{ label: 'Red' }, { label: 'Red' }] }] })).toEqual(['Red']);
});

test('what takes more than one choice is answered in words', () => {
  expect(choicesOf({ questions: [colour, colour] })).toEqual([]);
  expect(choicesOf({ questions: [{ ...colour, multiSelect: true }] })).toEqual([]);
});

test('any other request is no question', () => {
  expect(choicesOf({ command: 'ls' })).toBeNull();
  expect(choicesOf(null)).toBeNull();
  expect(choicesOf({ questions: [] })).toBeNull();
});

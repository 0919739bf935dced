// What words answer which question.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chosen, questionTitle } from './questions.mjs';

const colour = { text: 'Which colour?', choices: ['Red', 'Dark blue'] };
const name = { text: 'What is it\ncalled?', choices: [] };
const rooms = { text: 'Which rooms?', choices: ['Hall', 'Stairs', 'Lamp room'], several: true };

test('a choice is named by its label in any case, by its number, or not at all', () => {
  assert.deepEqual(chosen([colour], 'dark BLUE'), [['Dark blue']]);
  assert.deepEqual(chosen([colour], ' 1 '), [['Red']]);
  assert.deepEqual(chosen([colour], '7'), [['7']]);
  assert.deepEqual(chosen([colour], 'green, please'), [['green, please']]);
  assert.deepEqual(chosen([colour], undefined), [[]]);
});

test('several choices have commas between them, several questions a line each', () => {
  assert.deepEqual(chosen([rooms], 'hall, 3,'), [['Hall', 'Lamp room']]);
  assert.deepEqual(chosen([colour, name, rooms], 'red\nThe tower, old\n'), [['Red'], ['The tower, old'], []]);
});

test('the title is one line with the choices', () => {
  assert.equal(questionTitle([colour, name]), 'Which colour? (Red / Dark blue) · What is it called?');
  assert.equal(questionTitle([]), 'The agent has a question');
});

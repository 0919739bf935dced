// A form of an MCP server as questions, and its answers.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Form } from './forms.mjs';

const SCHEMA = {
  type: 'object',
  properties: {
    name: { type: 'string', title: 'Name' },
    floors: { type: 'integer', description: 'Floors', minimum: 1, maximum: 9 },
    colour: { type: 'string', title: 'Colour', enum: ['r', 'w'], enumNames: ['Red', 'White'], default: 'w' },
    lit: { type: 'boolean', title: 'Is it lit?' },
    days: {
      type: 'array',
      title: 'Days',
      items: {
        anyOf: [
          { const: 1, title: 'Mon' },
          { const: 2, title: 'Tue' },
        ],
      },
    },
  },
  required: ['name', 'floors', 'colour'],
};
const form = new Form({ server: 'light', message: 'About the tower', schema: SCHEMA });
const allowed = (/** @type {string} */ message) => form.answered({ outcome: 'allow', message });

test('each field is a question, with its choices', () => {
  const ask = form.ask('r1');
  assert.equal(
    ask.title,
    'light: About the tower — Name · Floors · Colour (may be left empty) (Red / White) · ' +
      'Is it lit? (may be left empty) (Yes / No) · Days (may be left empty) (Mon / Tue)',
  );
  assert.deepEqual([ask.requestId, ask.toolName, ask.kind], ['r1', 'elicitation', 'other']);
  assert.deepEqual(Object.keys(/** @type {any} */ (ask.input).fields), Object.keys(SCHEMA.properties));
  const other = new Form({ server: 's', message: 'm', schema: SCHEMA, order: ['floors', 'name'] });
  assert.equal(other.ask('r').title, 's: m — Floors · Name');
});

test('answers become values of the fields’ types; empty ones their defaults, or nothing', () => {
  assert.deepEqual(allowed('Lighthouse\n3\nred\nyes\nmon, 2'), {
    action: 'accept',
    content: { name: 'Lighthouse', floors: 3, colour: 'r', lit: true, days: [1, 2] },
  });
  assert.deepEqual(allowed('Lighthouse\n3'), {
    action: 'accept',
    content: { name: 'Lighthouse', floors: 3, colour: 'w' },
  });
  assert.deepEqual(form.answered({ outcome: 'deny' }), { action: 'decline' });
  const content = { name: 'as it was written' };
  assert.deepEqual(form.answered({ outcome: 'allow', updatedInput: { content } }), { action: 'accept', content });
});

test('what does not fit is told, and asked again with that', () => {
  for (const [said, problem] of [
    ['\n3', 'Name is missing'],
    ['x\nmany', 'Floors is no number'],
    ['x\n1.5', 'Floors is no whole number'],
    ['x\n0', 'Floors is less than 1'],
    ['x\n10', 'Floors is more than 9'],
    ['x\n2\ngreen', 'Colour is none of Red, White'],
  ])
    assert.deepEqual(allowed(said), { problem });
  assert.match(form.ask('r2', 'Name is missing').title, /^Name is missing\. light: About the tower — /);
});

test('a page to visit, and a form without fields, are only confirmed', () => {
  const page = new Form({ server: 'light', message: 'Sign in', url: 'https://light.example/in' });
  assert.equal(page.ask('r').title, 'light: Sign in — open https://light.example/in');
  assert.deepEqual(page.answered({ outcome: 'allow' }), { action: 'accept' });
  const bare = new Form({ server: 'light', message: 'Go on?', schema: { type: 'object', properties: {} } });
  assert.equal(bare.ask('r').title, 'light: Go on?');
  assert.deepEqual(bare.answered({ outcome: 'allow' }), { action: 'accept', content: {} });
});

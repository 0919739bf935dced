// Does a form ask for what a schema wants, and send what was filled in?

import { describe, expect, it } from 'vitest';
import { fieldsOf, filled, initialValues, writtenArguments } from './call_form';

const schema = {
  type: 'object',
  required: ['path', 'depth'],
  properties: {
    pattern: { type: 'string', description: 'What is looked for' },
    path: { type: 'string', default: 'src' },
    depth: { type: 'integer', minimum: 1, maximum: 9 },
    ratio: { anyOf: [{ type: 'number' }, { type: 'null' }], default: null },
    deep: { type: 'boolean' },
    level: { enum: ['low', 'high', 3] },
    tags: { type: 'array', items: { type: 'string' } },
    where: { $ref: '#/$defs/Where' },
    maybe: { type: ['string', 'null'] },
  },
  $defs: { Where: { type: 'string', enum: ['here', 'there'], description: 'A place' } },
};
const fields = fieldsOf(schema) ?? [];
const field = (name: string) => fields.find((one) => one.name === name);

describe('the fields of a schema', () => {
  it('have the needed ones first, and the kinds that the schema says', () => {
    expect(fields.map(({ name, kind }) => `${name} ${kind}`)).toEqual([
      'path text',
      'depth integer',
      'pattern text',
      'ratio number',
      'deep boolean',
      'level choice',
      'tags json',
      'where choice',
      'maybe text',
    ]);
    expect(field('pattern')?.about).toBe('What is looked for');
    expect(field('where')).toMatchObject({ about: 'A place', choices: ['here', 'there'] });
    expect(initialValues(fields)).toMatchObject({ path: 'src', ratio: '', level: '' });
  });

  it('are none where the schema names none, and follow no circle', () => {
    expect(fieldsOf({ type: 'object' })).toBeNull();
    const circle = { type: 'object', properties: { a: { $ref: '#/$defs/A' } }, $defs: { A: { $ref: '#/$defs/A' } } };
    expect(fieldsOf(circle)?.[0]?.kind).toBe('json');
    expect(
      fieldsOf({ properties: { a: { $ref: '#/__proto__/x' }, b: 7, c: { $ref: 'https://x.example' } } }),
    ).toHaveLength(3);
  });
});

describe('what was filled in', () => {
  it('is sent as what the schema wants; what is empty is left out', () => {
    const values = {
      path: 'a b',
      depth: '2',
      ratio: '0.5',
      deep: 'false',
      level: '2',
      tags: '["x"]',
      where: '1',
      maybe: '',
    };
    expect(filled(fields, values)).toEqual({
      ok: true,
      arguments: { path: 'a b', depth: 2, ratio: 0.5, deep: false, level: 3, tags: ['x'], where: 'there' },
    });
  });

  it('is held back with a word at each field that is wrong', () => {
    const result = filled(fields, { path: '', depth: '1.5', ratio: 'x', tags: '[' });
    expect(result.ok).toBe(false);
    if (result.ok) return;
    expect(result.problems).toMatchObject({ path: 'Needed', depth: 'Not a whole number', ratio: 'Not a number' });
    expect(result.problems.tags).toMatch(/^Not JSON/);
    const tooMuch = filled(fields, { path: 'a', depth: '10' });
    expect(tooMuch).toEqual({ ok: false, problems: { depth: 'At most 9' } });
  });

  it('cannot reach the prototype', () => {
    const hostile = fieldsOf({ properties: JSON.parse('{"__proto__": {"type": "string"}}') as object }) ?? [];
    const result = filled(hostile, { ['__proto__']: 'x' });
    expect(result.ok && Object.keys(result.arguments)).toEqual(['__proto__']);
    expect(result.ok && Object.getPrototypeOf(result.arguments)).toBe(Object.prototype);
  });

  it('can be written as JSON', () => {
    expect(writtenArguments(' ')).toEqual({ ok: true, arguments: {} });
    expect(writtenArguments('{"a": [1]}')).toEqual({ ok: true, arguments: { a: [1] } });
    expect(writtenArguments('[1]').ok).toBe(false);
    expect(writtenArguments('{').ok).toBe(false);
  });
});

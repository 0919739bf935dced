// Is everything found that a reader sees of an item, and nothing else; and what stands on a session's map?

import { expect, test } from 'vitest';
import type { ItemBody } from '../protocol/ItemBody';
import { marksIn, placesIn } from './item_words';
import { lineageOf } from './requests';
import { call, stands } from './replay/script';
import { summary, idle } from './replay/scene_parts';

const at = '2026-11-20T10:00:00Z';
const page = (...bodies: ItemBody[]) => ({
  items: bodies.map((body, place) => stands(place, body, at)),
  before: 40,
  total: 100,
  lastSeq: 100,
});
const says = (text: string): ItemBody => ({ type: 'agentMessage', text, open: false });

test('words are found in output, input, differences and unknown events, in either case', () => {
  const tool = call('t', {
    title: 'Bash make',
    input: { command: 'make LANTERN' },
    content: [{ type: 'diff', path: 'a', oldText: 'lantern', newText: null, patch: null }],
  });
  const found = page(
    says('A Lantern.'),
    says('nothing'),
    { type: 'toolCall', ...tool },
    { type: 'unknown', label: 'x', raw: { deep: [{ word: 'lanterns' }] } },
  );
  expect(placesIn(found, 'lantern')).toEqual([40, 42, 43]);
});

test('a picture is no text', () => {
  const tool = call('t', { content: [{ type: 'image', mimeType: 'image/png', data: 'aGVsbG8=' }] });
  expect(placesIn(page({ type: 'toolCall', ...tool }), 'aGVs')).toEqual([]);
});

test('a map has what began a turn, errors and requests; steering begins none', () => {
  const prompt: ItemBody = { type: 'userMessage', text: 'Go', delivery: 'prompt', from: null };
  const ask = {
    requestId: 'r',
    toolCallId: null,
    toolName: 'Bash',
    title: '',
    kind: 'execute',
    input: {},
    options: [],
  };
  const marks = marksIn(
    page(prompt, { ...prompt, delivery: 'steer' }, says('x'), {
      type: 'permission',
      ...ask,
      kind: 'execute',
      state: { type: 'pending' },
    }),
  );
  expect(marks).toEqual([
    { place: 40, kind: 'turn', title: 'Go' },
    { place: 43, kind: 'pending', title: 'Bash' },
  ]);
});

test('a lineage ends where the list does, and does not go round', () => {
  const child = summary('c', 'Child', 1, idle, { parent: 'b' });
  const above = summary('b', 'Above', 1, idle, { parent: 'a' });
  expect(lineageOf(child, [child, above])).toEqual(['Above']);
  const round = { ...above, parent: 'c' };
  expect(lineageOf(child, [child, round])).toEqual(['Above']);
});

// Does every pod stand under the one that it belongs to, whatever the ledger tells?

import { expect, test } from 'vitest';
import type { TreePod } from '../../protocol/TreePod';
import { next, draw, spanOf } from './time_line';
import { inSight, rowsOf, under } from './tree_rows';

function pod(session: string, parent: string | null, more: Partial<TreePod['entry']> = {}): TreePod {
  const used = { depth: 0, children: 0, pods: 0, spawns: 0, spawnsLastMinute: 0, turns: 0, costUsd: 0, wallSeconds: 0 };
  const entry = { session, name: session, parent, spawnedBy: parent, closing: false, outcome: null, spawnedAt: 1000 };
  return { entry: { ...entry, endedAt: null, workspace: '/w', scope: null, budget: null, used, ...more } };
}

const rows = (...pods: TreePod[]) => rowsOf({ pods, at: 0 }, []);

test('children stand below their parent, adopted ones below who has them now, ended ones below who spawned them', () => {
  const tree = rows(
    pod('a', null),
    pod('b', 'a'),
    pod('c', 'b'),
    pod('d', 'a', { spawnedBy: 'b' }),
    pod('e', null, { spawnedBy: 'b', outcome: 'completed' }),
  );
  expect(tree.map(({ session, depth }) => `${depth}${session}`)).toEqual(['0a', '1b', '2c', '2e', '1d']);
  expect(tree.filter((row) => row.isAdopted).map((row) => row.session)).toEqual(['d']);
  expect(under(tree, 'b').map((row) => row.session)).toEqual(['c', 'e']);
  expect(inSight(tree, new Set(['b']), false).map((row) => row.session)).toEqual(['a', 'b', 'd']);
  expect(inSight(tree, new Set(), true).map((row) => row.session)).toEqual(['a', 'b', 'c', 'd']);
});

test('a pod that names itself, or one that is not there, is still shown once', () => {
  expect(rows(pod('a', 'a'), pod('b', 'gone')).map((row) => row.session)).toEqual(['a', 'b']);
});

test('moments stand within the span, and arrows go through lanes', () => {
  const tree = rows(pod('a', null), pod('b', 'a'));
  const moment = (item: string, at: number, durationMs?: number) => ({
    at: new Date(at).toISOString(),
    item,
    kind: 'turn' as const,
    title: '',
    durationMs,
  });
  const of = (session: string) =>
    session === 'a' ? [moment('1', 3000, 1000), moment('2', 9000)] : [moment('3', 8000), moment('4', 60_000)];
  const drawing = draw(tree, of, { from: 1000, to: 11_000 }, { left: 0, right: 100 });
  expect(drawing.drawn.map(({ moment, x, width }) => [moment.item, x, width])).toEqual([
    ['1', 10, 10],
    ['2', 80, 0],
    ['3', 70, 0],
  ]);
  expect(next(drawing.drawn, 0, 'ArrowRight')).toBe(1);
  expect(next(drawing.drawn, 1, 'ArrowDown')).toBe(2);
  expect(next(drawing.drawn, 2, 'ArrowUp')).toBe(1);
  expect(next(drawing.drawn, 2, 'ArrowDown')).toBe(2);
  expect(spanOf(tree, 5000, 2000)).toEqual({ from: 3000, to: 5000 });
});

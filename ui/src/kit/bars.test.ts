import { expect, test } from 'vitest';
import { placeBars } from './bars';

const size = { width: 440, height: 200, left: 40, bottom: 20 };
const bar = (key: string, ...values: number[]) => ({
  key,
  label: key,
  parts: values.map((value, n) => ({ kind: String(n), value })),
});

test('parts stand on each other, and the tallest bar stays below the top', () => {
  const { bars, lines } = placeBars([bar('a', 1, 2), bar('b', 4)], size);
  const [a, b] = bars;
  expect(a?.parts[1]?.y).toBeCloseTo((a?.parts[0]?.y ?? 0) - (a?.parts[1]?.height ?? 0));
  expect(a?.parts[0]?.y).toBeCloseTo(180 - (a?.parts[0]?.height ?? 0));
  expect(a?.total).toBe(3);
  expect(b?.parts[0]?.y).toBeGreaterThanOrEqual(8);
  expect(lines[0]).toEqual({ value: 0, y: 180 });
});

test('nothing at all still has an axis', () => {
  const { bars, lines } = placeBars([bar('a'), bar('b')], size);
  expect(bars.map((one) => one.total)).toEqual([0, 0]);
  expect(lines.length).toBeGreaterThan(1);
  expect(placeBars([], size).bars).toEqual([]);
});

test('labels do not stand on each other; the last one is always there', () => {
  const many = Array.from({ length: 60 }, (_, n) => bar(`d${n}`, 1));
  const { bars } = placeBars(many, size);
  const shown = bars.filter((one) => one.isLabelled);
  expect(shown.length).toBeLessThanOrEqual(8);
  expect(shown.at(-1)?.key).toBe('d59');
});

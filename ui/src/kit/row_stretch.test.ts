import { describe, expect, test } from 'vitest';
import { beginAround, beginAtEnd, isAtEdge, stretch } from './row_stretch';

describe('the stretch of rows that can be scrolled through', () => {
  test('a list that fits is all of it, wherever one wants to be', () => {
    for (const length of [0, 1, 100_000, 400_000]) {
      for (const first of [beginAtEnd(length), beginAround(7, length)]) {
        const whole = stretch(first, length);
        expect(whole).toEqual({ from: 0, to: length });
        expect(isAtEdge(whole, { from: 0, to: length }, length)).toBe(false);
      }
    }
  });

  test('of a long list it has the end, or the row, and never more than fits', () => {
    const length = 1_000_000;
    expect(stretch(beginAtEnd(length), length)).toEqual({ from: 600_000, to: length });
    for (const row of [0, 199_999, 500_000, 999_999]) {
      const { from, to } = stretch(beginAround(row, length), length);
      expect(row).toBeGreaterThanOrEqual(from);
      expect(row).toBeLessThan(to);
      expect(to - from).toBeLessThanOrEqual(450_000);
    }
  });

  test('it moves at an edge behind which there is more, and the move leads away from the edge', () => {
    const length = 1_000_000;
    const end = stretch(beginAtEnd(length), length);
    expect(isAtEdge(end, { from: 999_990, to: length }, length)).toBe(false);
    expect(isAtEdge(end, { from: 600_010, to: 600_030 }, length)).toBe(true);
    const moved = stretch(beginAround(600_010, length), length);
    expect(isAtEdge(moved, { from: 600_010, to: 600_030 }, length)).toBe(false);
    expect(isAtEdge(moved, { from: moved.to - 20, to: moved.to }, length)).toBe(true);
  });

  test('a list that grows keeps its rows for a while, and one that shrinks has what is left', () => {
    const first = beginAtEnd(1_000_000);
    expect(stretch(first, 1_020_000)).toEqual({ from: 600_000, to: 1_020_000 });
    expect(stretch(first, 1_200_000).to).toBe(1_050_000);
    expect(stretch(first, 300)).toEqual({ from: 0, to: 300 });
  });
});

// Does a growing text leave the page time for other things, and is all of it drawn in the end?

import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { begin, DrawingPace, leap } from './drawing_pace';

/** What a drawing takes, on top of the pretended time, in milliseconds. */
let clock = 0;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'requestAnimationFrame', 'performance'] });
  const { performance } = globalThis;
  const now = performance.now.bind(performance);
  vi.spyOn(performance, 'now').mockImplementation(() => now() + clock);
});
afterEach(() => void vi.useRealTimers());

/** A text that grows every millisecond, and how much of it was there at each drawing, which takes so many milliseconds. */
async function drawings(took: number, during: number): Promise<{ drawn: number[]; grown: number }> {
  const drawn: number[] = [];
  let grown = 0;
  const pace = new DrawingPace(() => {
    drawn.push(grown);
    clock += took;
  });
  for (let passed = 0; passed < during; passed++) {
    grown += 1;
    pace.grew();
    await vi.advanceTimersByTimeAsync(1);
  }
  return { drawn, grown };
}

it('draws at once, and then all that came, without an end to it', async () => {
  const { drawn, grown } = await drawings(1, 1000);
  expect(drawn[0]).toBe(1);
  expect(drawn.length).toBeGreaterThan(20);
  await vi.advanceTimersByTimeAsync(1000);
  expect(drawn.at(-1)).toBe(grown);
});

it('draws the more seldom the longer a drawing takes', async () => {
  const { drawn } = await drawings(60, 2000);
  expect(drawn.length).toBeLessThanOrEqual(12);
  expect(drawn.length).toBeGreaterThan(3);
});

it('draws nothing after its end', async () => {
  const draw = vi.fn();
  const pace = new DrawingPace(draw);
  pace.grew();
  pace.grew();
  pace.end();
  await vi.advanceTimersByTimeAsync(2000);
  expect(draw).toHaveBeenCalledTimes(1);
});

it('draws nothing while nobody sees it, and all that came when it is seen again', async () => {
  const draw = vi.fn();
  const pace = new DrawingPace(draw);
  pace.seen(false);
  pace.grew();
  await vi.advanceTimersByTimeAsync(2000);
  expect(draw).not.toHaveBeenCalled();
  pace.seen(true);
  expect(draw).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(2000);
  expect(draw, 'nothing more has come').toHaveBeenCalledTimes(1);
});

it('comes to the end of what grew in leaps of whole lines', () => {
  const text = 'Some words of a line.\n'.repeat(5000);
  const shown = [text.slice(0, 100)];
  while (shown.at(-1) !== text) shown.push(leap(shown.at(-1) ?? '', text));
  expect(shown.length).toBeGreaterThan(5);
  expect(shown.length).toBeLessThan(40);
  for (const part of shown.slice(1)) expect(part.endsWith('\n')).toBe(true);
  expect(leap(text, `${text}and more`), 'a little is drawn at once').toBe(`${text}and more`);
  expect(leap('', 'x'.repeat(50_000)), 'a line is never cut').toHaveLength(50_000);
});

it('begins with all of a short text, and with a part of a long one', () => {
  const lines = (count: number) => 'the lamp turns once in ten seconds\n'.repeat(count);
  expect(begin(lines(200))).toBe(lines(200));
  const first = begin(lines(2000));
  expect(first.length).toBeLessThan(lines(2000).length / 5);
  expect(lines(2000).startsWith(first)).toBe(true);
  expect(begin('x'.repeat(50_000)), 'a line is never cut').toHaveLength(50_000);
});

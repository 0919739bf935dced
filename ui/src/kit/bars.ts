// Where do the bars of a chart stand, and which lines are behind them? Pure; the drawing is the chart's.

import { nice, ticks } from 'd3-array';

/** One bar: what stands below it, and its parts from the bottom up. */
export interface Bar {
  key: string;
  /** Below the axis, where there is room for it. */
  label: string;
  parts: { kind: string; value: number }[];
}

export interface Size {
  width: number;
  height: number;
  /** Room for the words at the axes. */
  left: number;
  bottom: number;
}

export interface Placed {
  key: string;
  label: string;
  x: number;
  width: number;
  /** The middle of the bar. */
  middle: number;
  total: number;
  parts: { kind: string; value: number; y: number; height: number }[];
  /** Whether its label is shown; not all of them have room. */
  isLabelled: boolean;
}

export interface Drawing {
  bars: Placed[];
  lines: { value: number; y: number }[];
}

/** Bars are no wider than this, in pixels. */
const WIDEST = 36;
/** Room that a label takes, in pixels. */
const LABEL = 52;
/** Room above the tallest bar, in pixels. */
const TOP = 8;
/** About so many lines stand behind the bars. */
const LINES = 4;
/** The part of a step that is left free. */
const GAP = 0.28;

/** Places the bars in the room that there is. Without any value the axis goes to 1. */
export function placeBars(bars: Bar[], { width, height, left, bottom }: Size): Drawing {
  const totals = bars.map(({ parts }) => parts.reduce((sum, part) => sum + part.value, 0));
  const band = bands(bars.length, left, width);
  const [, top] = nice(0, Math.max(...totals) || 1, LINES);
  const y = (value: number) => height - bottom - (value / top) * (height - bottom - TOP);
  const step = Math.max(1, Math.ceil((LABEL * bars.length) / Math.max(1, width - left)));
  const bar = Math.min(band.width, WIDEST);
  return {
    bars: bars.map(({ key, label, parts }, place) => {
      const begin = band.first + place * band.step + (band.width - bar) / 2;
      let sum = 0;
      const placed = parts.map((part) => {
        const bottomOf = y(sum);
        sum += part.value;
        return { ...part, y: y(sum), height: bottomOf - y(sum) };
      });
      const isLabelled = (bars.length - 1 - place) % step === 0;
      return { key, label, x: begin, width: bar, middle: begin + bar / 2, total: sum, parts: placed, isLabelled };
    }),
    lines: ticks(0, top, LINES).map((value) => ({ value, y: y(value) })),
  };
}

/** Shares a range among so many bands, with gaps between them and none outside. */
function bands(count: number, from: number, to: number): { first: number; step: number; width: number } {
  const steps = Math.max(1, count - GAP);
  const step = (to - from) / steps;
  return { first: from + (to - from - step * (count - GAP)) / 2, step, width: step * (1 - GAP) };
}

// Where on a time line does each moment of each pod stand? Pure: a span of time and a width in, shapes out.

import type { MomentKind } from '../../protocol/MomentKind';
import type { PodMoment } from '../../protocol/PodMoment';
import type { SessionId } from '../../protocol/SessionId';
import { duration } from '../../state/figures';
import type { PodRow } from './tree_rows';

/** Lanes that are drawn at most; there are more words than pictures beyond that. */
export const LANES = 60;
/** Moments that are drawn at most, the newest of them. */
const MOMENTS = 400;
/** Height of a lane, in pixels. */
export const LANE = 26;

/** A span of time, in milliseconds since 1970. */
export interface Span {
  from: number;
  to: number;
}

export interface Drawn {
  moment: PodMoment;
  session: SessionId;
  lane: number;
  /** Where it begins, and how wide it is; marks have no width. */
  x: number;
  width: number;
}

export interface Lane {
  row: PodRow;
  /** Its life. */
  x: number;
  width: number;
}

export interface Drawing {
  lanes: Lane[];
  /** In lanes from the top, in each from left to right. */
  drawn: Drawn[];
  ticks: { x: number; at: number }[];
}

/** The turn that a pod is in, as far as it got: it has no end and no item yet. */
export function running({ session, summary, isLive }: PodRow, now: number): PodMoment[] {
  const liveness = isLive ? summary?.liveness : undefined;
  if (liveness?.type !== 'live' || liveness.state.type !== 'working') return [];
  const durationMs = Math.max(0, now - Date.parse(liveness.state.since));
  return [{ at: new Date(now).toISOString(), item: `live:${session}`, kind: 'turn', title: 'goes on', durationMs }];
}

/** What a moment is, in words. */
export const momentWords: Record<MomentKind, string> = {
  turn: 'Turn',
  brokenTurn: 'Broken turn',
  prompt: 'Prompt',
  spawn: 'Started a pod',
  request: 'Permission',
  budgetRefusal: 'Budget refused',
  foreignWrite: 'Written past a scope',
  error: 'Error',
  end: 'Ended',
};

/** `Turn, 12 s: Port the parser`. */
export function wordsOf(moment: PodMoment): string {
  const took = moment.durationMs === undefined ? '' : `, ${duration(moment.durationMs)}`;
  return `${momentWords[moment.kind]}${took}${moment.title === '' ? '' : `: ${moment.title}`}`;
}

/** From when the first of these pods was spawned until now, or the last of that. */
export function spanOf(rows: PodRow[], now: number, last: number | null): Span {
  const first = Math.min(now, ...rows.map(({ pod }) => pod.entry.spawnedAt));
  const end = rows.some((row) => row.isLive)
    ? now
    : Math.max(...rows.map(({ pod }) => pod.entry.endedAt ?? now), first);
  const from = last === null ? first : Math.max(first, end - last);
  return { from, to: Math.max(end, from + 1000) };
}

/** Lays the lanes out from `left` to `right`, in pixels. */
export function draw(
  rows: PodRow[],
  moments: (session: SessionId) => PodMoment[],
  span: Span,
  { left, right }: { left: number; right: number },
): Drawing {
  const scale = (right - left) / (span.to - span.from);
  const place = (at: number) => left + (Math.min(Math.max(at, span.from), span.to) - span.from) * scale;
  const lanes = rows.slice(0, LANES).map((row): Lane => {
    const { spawnedAt, endedAt } = row.pod.entry;
    const x = place(spawnedAt);
    return { row, x, width: Math.max(2, place(endedAt ?? span.to) - x) };
  });
  const drawn = lanes.flatMap(({ row }, lane) =>
    moments(row.session).flatMap((moment): Drawn[] => {
      const end = Date.parse(moment.at);
      const start = end - (moment.durationMs ?? 0);
      if (!(end >= span.from && start <= span.to)) return [];
      const x = place(start);
      return [
        {
          moment,
          session: row.session,
          lane,
          x,
          width: moment.durationMs === undefined ? 0 : Math.max(3, place(end) - x),
        },
      ];
    }),
  );
  const newest = drawn
    .toSorted((a, b) => Date.parse(b.moment.at) - Date.parse(a.moment.at))
    .slice(0, MOMENTS)
    .sort((a, b) => a.lane - b.lane || a.x - b.x);
  const ticks = [0, 1, 2].map((n) => span.from + ((span.to - span.from) * n) / 2);
  return { lanes, drawn: newest, ticks: ticks.map((at) => ({ at, x: place(at) })) };
}

/** The moment that an arrow leads to. */
export function next(drawn: Drawn[], from: number, key: string): number {
  const here = drawn[from];
  if (!here) return 0;
  if (key === 'Home') return 0;
  if (key === 'End') return drawn.length - 1;
  if (key === 'ArrowLeft') return Math.max(0, from - 1);
  if (key === 'ArrowRight') return Math.min(drawn.length - 1, from + 1);
  const by = key === 'ArrowDown' ? 1 : -1;
  const lanes = [...new Set(drawn.map(({ lane }) => lane))].sort((a, b) => by * (a - b));
  const lane = lanes.find((other) => by * (other - here.lane) > 0);
  if (lane === undefined) return from;
  const distance = ({ x }: Drawn) => Math.abs(x - here.x);
  return drawn.reduce(
    (best, one, place) =>
      one.lane === lane && (drawn[best]?.lane !== lane || distance(one) < distance(drawn[best])) ? place : best,
    from,
  );
}

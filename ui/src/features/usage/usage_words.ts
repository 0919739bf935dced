// Which figures does usage show, for which time, and how are days that nobody worked on filled in?

import type { UsageBy } from '../../protocol/UsageBy';
import type { UsageReport } from '../../protocol/UsageReport';
import type { UsageRow } from '../../protocol/UsageRow';
import { cost, count } from '../../state/figures';
import type { Bar } from '../../kit/bars';

export type Metric = 'cost' | 'tokens';
export type Span = '7' | '30' | '90' | 'all';

export const spans: { value: Span; label: string }[] = [
  { value: '7', label: '7 days' },
  { value: '30', label: '30 days' },
  { value: '90', label: '90 days' },
  { value: 'all', label: 'All time' },
];

export const metrics: { value: Metric; label: string }[] = [
  { value: 'cost', label: 'Cost' },
  { value: 'tokens', label: 'Tokens' },
];

export const tables: { value: UsageBy; label: string }[] = [
  { value: 'day', label: 'Day' },
  { value: 'provider', label: 'Agent' },
  { value: 'workspace', label: 'Folder' },
  { value: 'model', label: 'Model' },
  { value: 'tree', label: 'Session' },
];

/** Days that have a bar at most; of a longer time the newest are drawn. */
const MOST_DAYS = 120;
const DAY_MS = 86_400_000;

/** The moment at which the first day of the span begins, here; undefined for all time. */
export function sinceOf(span: Span, now: number): string | undefined {
  if (span === 'all') return undefined;
  const day = new Date(now - (Number(span) - 1) * DAY_MS);
  return new Date(day.getFullYear(), day.getMonth(), day.getDate()).toISOString();
}

/** The words of a figure. */
export function figure(metric: Metric, value: number): string {
  return metric === 'cost' ? cost(value) : count(value);
}

/** The words of a figure beside the axis: `$10` where `$10.00` says no more. */
export function axisFigure(metric: Metric, value: number): string {
  return metric === 'cost' && Number.isInteger(value) ? `$${value}` : figure(metric, value);
}

/** Tokens of all sorts. */
export function tokensOf(row: UsageRow): number {
  return row.inputTokens + row.outputTokens + row.cacheReadTokens + row.cacheWriteTokens;
}

/** What a row is measured by. */
export function valueOf(row: UsageRow, metric: Metric): number {
  return metric === 'cost' ? (row.costUsd ?? 0) : tokensOf(row);
}

/** Providers in the order of what they used in all, the most first: the same order in every bar. */
export function providersOf(report: UsageReport, metric: Metric): string[] {
  const value = (share: { tokens: number; costUsd: number | null }) =>
    metric === 'cost' ? (share.costUsd ?? 0) : share.tokens;
  return report.total.shares
    .filter((share) => value(share) > 0)
    .sort((a, b) => value(b) - value(a))
    .map((share) => share.provider);
}

/** A bar for every day of the span, also for those on which nothing was used. */
export function dayBars(report: UsageReport, metric: Metric, span: Span, now: number): Bar[] {
  const providers = providersOf(report, metric);
  const rows = new Map(report.rows.map((row) => [row.key, row]));
  return days(report.rows[0]?.key, span, now).map((key) => {
    const shares = new Map((rows.get(key)?.shares ?? []).map((share) => [share.provider, share]));
    const parts = providers.map((kind) => {
      const share = shares.get(kind);
      return { kind, value: (metric === 'cost' ? share?.costUsd : share?.tokens) ?? 0 };
    });
    return { key, label: dayWords(key), parts };
  });
}

function days(first: string | undefined, span: Span, now: number): string[] {
  const today = new Date(now);
  const back =
    span === 'all'
      ? first === undefined
        ? 0
        : Math.round((startOf(dayKey(today)) - startOf(first)) / DAY_MS)
      : Number(span) - 1;
  const many = Math.min(MOST_DAYS, back + 1);
  return Array.from({ length: many }, (_, n) =>
    dayKey(new Date(today.getFullYear(), today.getMonth(), today.getDate() - (many - 1 - n))),
  );
}

function startOf(key: string): number {
  const [year = 0, month = 1, day = 1] = key.split('-').map(Number);
  return Date.UTC(year, month - 1, day);
}

function dayKey(day: Date): string {
  return [day.getFullYear(), day.getMonth() + 1, day.getDate()].map((part) => String(part).padStart(2, '0')).join('-');
}

/** `Nov 21`. */
export function dayWords(key: string): string {
  return new Date(startOf(key)).toLocaleDateString('en', { month: 'short', day: 'numeric', timeZone: 'UTC' });
}

/** `Saturday, November 21`. */
export function longDay(key: string): string {
  return new Date(startOf(key)).toLocaleDateString('en', {
    weekday: 'short',
    month: 'short',
    day: 'numeric',
    year: 'numeric',
    timeZone: 'UTC',
  });
}

/** What is worth a look first: cost, unless nobody told any. */
export function firstMetric(total: UsageRow): Metric {
  return (total.costUsd ?? 0) === 0 && tokensOf(total) > 0 ? 'tokens' : 'cost';
}

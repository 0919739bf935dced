// How are durations, ages, sizes, tokens and money written? Short, the same everywhere, and never with false precision.

import type { Usage } from '../protocol/Usage';

/** `0.4 s`, `38 s`, `2 m 05 s`, `1 h 12 m`. */
export function duration(ms: number): string {
  if (!Number.isFinite(ms) || ms < 0) return '0 s';
  if (ms < 950) return `${Math.max(0.1, Math.round(ms / 100) / 10)} s`;
  const seconds = Math.round(ms / 1000);
  if (ms < 9_950) return `${(Math.round(ms / 100) / 10).toFixed(1).replace('.0', '')} s`;
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} m ${String(seconds % 60).padStart(2, '0')} s`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} m`;
}

/** A running time without tenths, so that it does not flicker: `0 s`, `38 s`, `2 m 05 s`. */
export function elapsed(since: string, now: number): string {
  const ms = Math.max(0, now - Date.parse(since));
  return ms < 60_000 ? `${Math.floor(ms / 1000)} s` : duration(Math.floor(ms / 1000) * 1000);
}

/** A running time in a narrow place: `38s`, `12m`, `3h`. */
export function elapsedShort(since: string, now: number): string {
  const seconds = Math.max(0, Math.floor((now - Date.parse(since)) / 1000));
  if (seconds < 60) return `${seconds}s`;
  return seconds < 3600 ? `${Math.floor(seconds / 60)}m` : `${Math.floor(seconds / 3600)}h`;
}

/** When something was: `2:33 PM` on the same day, `Nov 20, 2:33 PM` before. */
export function timeOf(at: string, now: number): string {
  const time = new Date(at);
  const day = time.toDateString() === new Date(now).toDateString() ? {} : ({ month: 'short', day: 'numeric' } as const);
  return time.toLocaleString('en', { ...day, hour: 'numeric', minute: '2-digit' });
}

/** Enough of an id to know it again: its first eight hexadecimal digits, or its beginning. */
export function shortId(id: string): string {
  return /[0-9a-f]{8}/.exec(id)?.[0] ?? id.slice(0, 8);
}

/** How long ago: `now`, `4m`, `3h`, `2d`, then the date. */
export function age(at: string, now: number): string {
  const time = Date.parse(at);
  if (Number.isNaN(time)) return '';
  const minutes = Math.floor((now - time) / 60_000);
  if (minutes < 1) return 'now';
  if (minutes < 60) return `${minutes}m`;
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)}h`;
  if (minutes < 7 * 24 * 60) return `${Math.floor(minutes / (24 * 60))}d`;
  return new Date(time).toLocaleDateString('en', { month: 'short', day: 'numeric' });
}

/** `940`, `4.2k`, `128k`, `1.3M`. */
export function count(n: number): string {
  if (n < 1000) return String(Math.round(n));
  if (n < 9_950) return `${(n / 1000).toFixed(1).replace('.0', '')}k`;
  if (n < 999_500) return `${Math.round(n / 1000)}k`;
  return `${(n / 1e6).toFixed(1).replace('.0', '')}M`;
}

/** `$0.03`, `$1.42`, `<$0.01`. */
export function cost(usd: number): string {
  if (usd > 0 && usd < 0.01) return '<$0.01';
  return `$${usd.toFixed(2)}`;
}

/** `12 KB`, `3.4 MB`. */
export function bytes(n: number): string {
  if (n < 1000) return `${n} B`;
  if (n < 1e6) return `${Math.round(n / 1000)} KB`;
  if (n < 1e9) return `${(n / 1e6).toFixed(1).replace('.0', '')} MB`;
  return `${(n / 1e9).toFixed(1).replace('.0', '')} GB`;
}

/** Tokens that went in, whether read from a cache or not; null when the provider tells none. */
export function tokensIn(usage: Usage): number | null {
  const parts = [usage.inputTokens, usage.cacheReadTokens, usage.cacheWriteTokens];
  return parts.every((part) => part == null) ? null : parts.reduce<number>((sum, part) => sum + (part ?? 0), 0);
}

/** The figures of a turn or a session, in the order in which they are shown; what is not known is left out. */
export function usageWords(usage: Usage | null): string[] {
  if (!usage) return [];
  const words: string[] = [];
  const into = tokensIn(usage);
  if (into != null && into > 0) words.push(`${count(into)} in`);
  if (usage.outputTokens) words.push(`${count(usage.outputTokens)} out`);
  if (usage.costUsd) words.push(cost(usage.costUsd));
  return words;
}

/** What a folder is called: the last part of its path. */
export function folderName(path: string): string {
  return path.split(/[\\/]/).findLast((part) => part !== '') ?? path;
}

/** `3 files`, `1 file`. */
export function plural(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}

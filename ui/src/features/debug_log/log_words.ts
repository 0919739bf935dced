// What are levels and sources of the debug log called?

import type { LogLevel } from '../../protocol/LogLevel';
import type { LogLine } from '../../protocol/LogLine';
import type { LogSource } from '../../protocol/LogSource';

export const levelChoices: { value: LogLevel; label: string }[] = [
  { value: 'error', label: 'Errors' },
  { value: 'warn', label: 'Warnings and errors' },
  { value: 'info', label: 'Information and up' },
  { value: 'debug', label: 'Debug and up' },
  { value: 'trace', label: 'Everything' },
];

export const sourceChoices: { value: LogSource; label: string }[] = [
  { value: 'app', label: 'App' },
  { value: 'keeper', label: 'Keepers' },
  { value: 'runner', label: 'Runners' },
  { value: 'sidecar', label: 'Sidecars' },
  { value: 'cli', label: 'Command line' },
];

export const sourceWords: Record<LogSource, string> = {
  app: 'app',
  keeper: 'keeper',
  runner: 'runner',
  sidecar: 'sidecar',
  cli: 'cli',
  other: '',
};

/** `07:00:00.123`, here. */
export function clockOf(at: string): string {
  const time = new Date(at);
  if (Number.isNaN(time.getTime())) return '';
  const parts = [time.getHours(), time.getMinutes(), time.getSeconds()].map((part) => String(part).padStart(2, '0'));
  return `${parts.join(':')}.${String(time.getMilliseconds()).padStart(3, '0')}`;
}

/** `Nov 21`, here. */
export function dayOf(at: string): string {
  const time = new Date(at);
  return Number.isNaN(time.getTime()) ? '' : time.toLocaleDateString('en', { month: 'short', day: 'numeric' });
}

/** A line as it is copied. */
export function asText(line: LogLine): string {
  const process = line.pid === null ? sourceWords[line.source] : `${sourceWords[line.source]}[${line.pid}]`;
  return [line.at, line.level.toUpperCase(), process, line.session ?? '-', `${line.target}:`, line.text]
    .join(' ')
    .trim();
}

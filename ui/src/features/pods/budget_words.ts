// Which limits has a budget, how much of each is used, and how is that written and read?

import type { Budget } from '../../protocol/Budget';
import type { BudgetUse } from '../../protocol/BudgetUse';
import { cost, duration } from '../../state/figures';

export interface Limit {
  key: keyof Budget;
  label: string;
  /** What it counts, in a sentence. */
  hint: string;
  /** What people type: the unit after the number, and how many of the wire's units one of it is. */
  unit: string;
  per: number;
  used: (use: BudgetUse) => number;
  format: (value: number) => string;
}

const plain = (value: number) => String(value);
const time = (seconds: number) => (seconds === 0 ? '0 s' : duration(seconds * 1000));

/** Every limit, in the order in which they are shown. */
export const limits: Limit[] = [
  {
    key: 'costUsd',
    label: 'Cost',
    hint: 'US dollars that it and all below it may cost',
    unit: '$',
    per: 1,
    used: (use) => use.costUsd,
    format: cost,
  },
  {
    key: 'turns',
    label: 'Turns',
    hint: 'Turns of it and all below it',
    unit: '',
    per: 1,
    used: (use) => use.turns,
    format: plain,
  },
  {
    key: 'wallSeconds',
    label: 'Time',
    hint: 'Minutes since the budget began',
    unit: 'min',
    per: 60,
    used: (use) => use.wallSeconds,
    format: time,
  },
  {
    key: 'pods',
    label: 'Live pods',
    hint: 'Pods below it that live at one time',
    unit: '',
    per: 1,
    used: (use) => use.pods,
    format: plain,
  },
  {
    key: 'children',
    label: 'Children of one pod',
    hint: 'Live children of any one pod',
    unit: '',
    per: 1,
    used: (use) => use.children,
    format: plain,
  },
  {
    key: 'depth',
    label: 'Depth',
    hint: 'Generations below it',
    unit: '',
    per: 1,
    used: (use) => use.depth,
    format: plain,
  },
  {
    key: 'spawns',
    label: 'Spawns',
    hint: 'Pods below it that were ever spawned',
    unit: '',
    per: 1,
    used: (use) => use.spawns,
    format: plain,
  },
  {
    key: 'spawnsPerMinute',
    label: 'Spawns a minute',
    hint: 'Pods that may be spawned within a minute',
    unit: '',
    per: 1,
    used: (use) => use.spawnsLastMinute,
    format: plain,
  },
];

/** A budget without any limit. */
export const unlimited: Budget = {
  depth: null,
  children: null,
  pods: null,
  spawns: null,
  spawnsPerMinute: null,
  turns: null,
  costUsd: null,
  wallSeconds: null,
};

/** How far a limit is used, from 0 to 1, and how urgent that is. */
export function share(used: number, limit: number): { part: number; tone: 'plain' | 'warn' | 'bad' } {
  // What is not allowed at all is no limit that is used up.
  if (limit <= 0 && used <= 0) return { part: 0, tone: 'plain' };
  const part = limit <= 0 ? 1 : Math.min(1, used / limit);
  return { part, tone: used >= limit ? 'bad' : part >= 0.8 ? 'warn' : 'plain' };
}

/** What people type for a limit; empty for none. */
export function typed(limit: Limit, value: number | null): string {
  return value === null ? '' : String(Math.round((value / limit.per) * 100) / 100);
}

/** The limit that was typed: null for none, or undefined for what is no limit. */
export function read(limit: Limit, text: string): number | null | undefined {
  const words = text.trim().replace(/^\$\s*/, '');
  if (words === '') return null;
  const number = Number(words.replace(',', '.'));
  if (!Number.isFinite(number) || number < 0) return undefined;
  const value = number * limit.per;
  return limit.key === 'costUsd' ? value : Number.isInteger(value) || limit.per > 1 ? Math.round(value) : undefined;
}

/** A budget from what was typed; undefined where a field is no limit, with which one. */
export function budgetFrom(
  fields: Partial<Record<keyof Budget, string>>,
): { budget: Budget } | { wrong: keyof Budget } {
  const budget = { ...unlimited };
  for (const limit of limits) {
    const value = read(limit, fields[limit.key] ?? '');
    if (value === undefined) return { wrong: limit.key };
    budget[limit.key] = value;
  }
  return { budget };
}

/** Whether nothing is limited. */
export const isUnlimited = (budget: Budget) => limits.every(({ key }) => budget[key] === null);

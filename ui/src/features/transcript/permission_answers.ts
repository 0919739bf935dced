// Which answers has a permission request, in which order, which keys give them, and how does one read afterwards?

import type { PermissionOption } from '../../protocol/PermissionOption';
import type { PermissionOutcome } from '../../protocol/PermissionOutcome';
import type { PermissionState } from '../../protocol/PermissionState';
import type { RuleReach } from '../../protocol/RuleReach';

export interface AnswerButton {
  /** Tells it from the others of its request. */
  id: string;
  outcome: PermissionOutcome;
  /** What it is about is allowed from now on, so far. */
  always?: RuleReach;
  label: string;
  /** Keys that give this answer to the oldest request, anywhere in the window. */
  keys?: string;
  testid: string;
}

const ORDER: PermissionOutcome[] = ['allow', 'allowAlways', 'deny', 'denyAlways'];

const TESTIDS: Record<PermissionOutcome, string> = {
  allow: 'permission-allow',
  allowAlways: 'permission-always',
  deny: 'permission-deny',
  denyAlways: 'permission-deny-always',
};

const LABELS: Record<PermissionOutcome, string> = {
  allow: 'Allow',
  allowAlways: 'Always allow',
  deny: 'Deny',
  denyAlways: 'Always deny',
};

const KEYS: Partial<Record<PermissionOutcome, string>> = { allow: 'Alt+Y', allowAlways: 'Alt+A', deny: 'Alt+N' };

/** The answers of a request that hold once. A provider that names no answers is asked with the two that always hold. */
export function answers(options: PermissionOption[], always?: string | null): AnswerButton[] {
  const offered =
    options.length > 0
      ? options
      : [
          { outcome: 'allow' as const, label: '' },
          { outcome: 'deny' as const, label: '' },
        ];
  return ORDER.flatMap((outcome) => {
    const option = offered.find((candidate) => candidate.outcome === outcome);
    // Where a rule can be made, "always" has a line of its own.
    if (!option || (outcome === 'allowAlways' && always)) return [];
    return [
      { id: outcome, outcome, label: option.label || LABELS[outcome], keys: KEYS[outcome], testid: TESTIDS[outcome] },
    ];
  });
}

/** The answers that hold from now on, where a rule can be made: ours, and what the provider means by "always". */
export function alwaysAnswers(options: PermissionOption[], always?: string | null): AnswerButton[] {
  if (!always) return [];
  const own = options.find(({ outcome }) => outcome === 'allowAlways');
  const rule = { outcome: 'allow' as const };
  return [
    {
      ...rule,
      id: 'session',
      always: 'session',
      label: 'In this session',
      keys: 'Alt+A',
      testid: 'permission-session',
    },
    { ...rule, id: 'workspace', always: 'workspace', label: 'In this workspace', testid: 'permission-workspace' },
    ...(own?.label ? [{ id: 'allowAlways', outcome: own.outcome, label: own.label, testid: TESTIDS.allowAlways }] : []),
  ];
}

/** Who answered without a rule, in words; of the user nothing is said. */
const ANSWERED_BY = new Map([
  ['', ''],
  ['user', ''],
  ['policy', "by the session's policy"],
  ['scope', 'by its scope'],
]);

/** Who answered, where it was not the user, and what is allowed from now on. */
export function pastRule(state: Extract<PermissionState, { type: 'answered' }>): string {
  const { by, rule } = state;
  if (!rule) return ANSWERED_BY.get(by) ?? `by ${by}`;
  return by === 'rule'
    ? `by a rule of this ${rule.reach}: ${rule.words}`
    : `from now on in this ${rule.reach}: ${rule.words}`;
}

/** An answer that was given. */
export function pastWord(outcome: PermissionOutcome): string {
  const words: Record<PermissionOutcome, string> = {
    allow: 'Allowed',
    allowAlways: 'Always allowed',
    deny: 'Denied',
    denyAlways: 'Always denied',
  };
  return words[outcome];
}

/** What a question of the agent offers to choose from; null when the request is none. A choice is answered by its words. */
export function choicesOf(input: unknown): string[] | null {
  const questions = (input as { questions?: unknown } | null)?.questions;
  if (!Array.isArray(questions) || questions.length === 0) return null;
  const [only, ...more] = questions as { options?: { label?: unknown }[] | null; multiSelect?: boolean }[];
  // Several questions, and several choices of one, are answered in words: their title names them.
  if (!only || more.length > 0 || only.multiSelect) return [];
  return [...new Set((only.options ?? []).map((option) => String(option.label ?? '')))];
}

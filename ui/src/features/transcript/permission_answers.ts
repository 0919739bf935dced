// Which answers has a permission request, in which order, and which keys give them?

import type { PermissionOption } from '../../protocol/PermissionOption';
import type { PermissionOutcome } from '../../protocol/PermissionOutcome';

export interface AnswerButton {
  outcome: PermissionOutcome;
  label: string;
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

/** The buttons of a request. A provider that names no answers is asked with the two that always hold. */
export function answers(options: PermissionOption[]): AnswerButton[] {
  const offered =
    options.length > 0
      ? options
      : [
          { outcome: 'allow' as const, label: '' },
          { outcome: 'deny' as const, label: '' },
        ];
  return ORDER.flatMap((outcome) => {
    const option = offered.find((candidate) => candidate.outcome === outcome);
    return option ? [{ outcome, label: option.label || LABELS[outcome], testid: TESTIDS[outcome] }] : [];
  });
}

/** Keys that give an answer to the oldest request, anywhere in the window. */
export function keysFor(outcome: PermissionOutcome): string | undefined {
  const keys: Record<PermissionOutcome, string | undefined> = {
    allow: 'Alt+Y',
    allowAlways: 'Alt+A',
    deny: 'Alt+N',
    denyAlways: undefined,
  };
  return keys[outcome];
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

// How is trouble told? The words for how an agent is, and for what sort of failure it was, with the way on.

import type { FailureClass } from '../protocol/FailureClass';
import type { HealthVerdict } from '../protocol/HealthVerdict';
import type { Retry } from '../protocol/Retry';

/** What a verdict is called, and how urgent it is. */
export const verdicts: Record<HealthVerdict, { word: string; tone: 'plain' | 'warn' | 'bad' }> = {
  ok: { word: 'Well', tone: 'plain' },
  quiet: { word: 'Quiet', tone: 'plain' },
  stalled: { word: 'Stalled', tone: 'warn' },
  degraded: { word: 'Provider degraded', tone: 'warn' },
  authFailed: { word: 'Sign-in refused', tone: 'bad' },
  gone: { word: 'Gone', tone: 'bad' },
  unknown: { word: 'Health unknown', tone: 'warn' },
};

/** What can be done about a failure: one offer, or none. */
export type Offer = 'resume' | 'again' | 'doctor' | 'newSession' | 'prompt';

interface FailureWords {
  word: string;
  /** What the user may do; empty where the offer says it all. */
  advice: string;
  offer: Offer;
}

/** What a failure is called and what can be done about it. */
export const failures: Record<FailureClass, FailureWords> = {
  rateLimited: { word: 'Rate limited', advice: '', offer: 'again' },
  overloaded: { word: 'Provider overloaded', advice: '', offer: 'again' },
  network: { word: 'Network trouble', advice: '', offer: 'again' },
  usageLimit: {
    word: 'Usage limit reached',
    advice:
      'The plan, the budget or the credit is used up. Go on when the provider opens it again, or choose another model.',
    offer: 'prompt',
  },
  auth: {
    word: 'Sign-in refused',
    advice:
      "Sign in with the agent's own program in a terminal (`claude` and then `/login`, or `codex login`), then prompt again.",
    offer: 'doctor',
  },
  contextExceeded: {
    word: 'Context is full',
    advice: 'The conversation no longer fits into the model. Begin a new session and tell it what matters.',
    offer: 'newSession',
  },
  maxTurns: {
    word: 'Limit of turns reached',
    advice: 'The agent kept to its limit; a prompt lets it go on.',
    offer: 'prompt',
  },
  killed: { word: 'Killed', advice: '', offer: 'resume' },
  noOutput: { word: 'Ended without a word', advice: '', offer: 'resume' },
  spawnFailure: {
    word: 'Could not be started',
    advice: 'Doctor shows where its program was looked for.',
    offer: 'doctor',
  },
  conversationUnknown: {
    word: 'Conversation unknown',
    advice:
      'The provider no longer knows this conversation. The next prompt begins a new one: the agent will not have read what stands above.',
    offer: 'prompt',
  },
  unknown: { word: 'Failed', advice: '', offer: 'resume' },
};

/** How a program ended: `Exit code 101`, `Ended by SIGKILL`. */
export function endWords(exitCode: number | null, signal: string | null): string | null {
  if (signal !== null) return `Ended by ${signal}`;
  return exitCode === null ? null : `Exit code ${exitCode}`;
}

/** `Trying again (2 of 3) in 8 s`. */
export function retryWords(retry: Retry, now: number): string {
  const seconds = Math.ceil((Date.parse(retry.at) - now) / 1000);
  const who = retry.by === 'agent' ? 'The agent is trying again' : 'Trying again';
  return `${who} (${retry.attempt} of ${retry.of}) ${seconds > 0 ? `in ${seconds} s` : 'now'}`;
}

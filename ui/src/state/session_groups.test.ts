// Does the list put what needs the user first, and keep trees together?

import { expect, it } from 'vitest';
import type { HealthVerdict } from '../protocol/HealthVerdict';
import type { Liveness } from '../protocol/Liveness';
import type { PodState } from '../protocol/PodState';
import type { SessionSummary } from '../protocol/SessionSummary';
import type { StopReason } from '../protocol/StopReason';
import { grouped, groupOf, stateOf, troubleOf } from './session_groups';

const live = (state: PodState, waiting = 0): Liveness => ({ type: 'live', state, waiting, queued: 0 });
const since = '2026-01-01T00:00:00Z';
const working = live({ type: 'working', on: { type: 'model' }, since });
const ended: Liveness = { type: 'ended', outcome: 'done', at: since };

function summary(session: string, liveness: Liveness, parent: string | null = null): SessionSummary {
  const usage = {
    inputTokens: null,
    outputTokens: null,
    cacheReadTokens: null,
    cacheWriteTokens: null,
    costUsd: null,
    contextUsed: null,
    contextSize: null,
  };
  const words = { provider: 'demo', workspace: '.', cwd: '.', title: session, model: null, nativeSessionId: null };
  return { session, parent, createdAt: since, updatedAt: since, usage, liveness, ...words };
}

it.each<[Liveness, string]>([
  [live({ type: 'idle' }, 1), 'needsYou'],
  [live({ type: 'working', on: { type: 'permission', requestId: 'r', since }, since }), 'needsYou'],
  [working, 'working'],
  [live({ type: 'draining' }), 'stopping'],
  [live({ type: 'failed', reason: '', stderrTail: [] }), 'failed'],
  [{ type: 'unknown', reason: 'no answer' }, 'unknown'],
  [{ type: 'interrupted' }, 'interrupted'],
  [ended, 'done'],
])('%j is %s', (liveness, state) => expect(stateOf(liveness)).toBe(state));

it('does not count a session that does not answer as ended', () => {
  expect(groupOf(stateOf({ type: 'unknown', reason: '' }))).toBe('idle');
});

it('puts a tree where its most urgent member belongs, parent first', () => {
  const groups = grouped([summary('c', live({ type: 'idle' }, 1), 'p'), summary('p', working), summary('done', ended)]);
  expect(groups.get('needsYou')?.map((row) => [row.summary.session, row.depth])).toEqual([
    ['p', 0],
    ['c', 1],
  ]);
  expect(groups.get('working')).toEqual([]);
  expect(groups.get('ended')).toHaveLength(1);
});

it('shows a child whose parent is not in the list', () => {
  expect(grouped([summary('c', working, 'gone')]).get('working')).toHaveLength(1);
});

it('tells an agent whose turn came to nothing from one that is done', () => {
  const after = (lastTurn?: StopReason, health?: HealthVerdict) => {
    const liveness: Liveness = { type: 'live', state: { type: 'idle' }, waiting: 0, queued: 0 };
    return troubleOf(summary('s', { ...liveness, ...(lastTurn && { lastTurn }), ...(health && { health }) }))?.word;
  };
  expect(after()).toBeUndefined();
  expect(after('endTurn')).toBeUndefined();
  expect(after('interrupted')).toBeUndefined();
  expect(after('error')).toBe('Turn failed');
  expect(after('maxTurns')).toBe('Cut short');
  expect(after('error', 'authFailed')).toBe('Sign-in refused');
});

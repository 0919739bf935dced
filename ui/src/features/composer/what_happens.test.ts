// Does the composer say what will become of a prompt?

import { expect, test } from 'vitest';
import { freshStatus } from '../../host/replay/session';
import { idle, summary, working } from '../../host/replay/scene_parts';
import type { PodStatus } from '../../protocol/PodStatus';
import type { Retry } from '../../protocol/Retry';
import { sendingNow, type Situation } from './what_happens';

const about = summary('s', 'Session', 1, idle);
const fresh = freshStatus(about);
const at = '2026-11-20T10:00:00Z';
const inTurn: PodStatus = { ...fresh, state: { type: 'working', on: { type: 'model' }, since: at } };
const retry = (by: Retry['by']): Retry => ({ attempt: 1, of: 3, at, class: 'overloaded', by });
const now = (change: Partial<Situation>) =>
  sendingNow({ liveness: idle, status: fresh, canSteer: true, hasFiles: false, hasCommands: true, ...change });

test('a turn is steered where the agent hears it, and queued behind where it does not', () => {
  expect(now({ liveness: working(1), status: inTurn })).toMatchObject({ way: 'steer', placeholder: 'Steer the agent' });
  const queued = { way: 'queue', placeholder: 'Queue the next prompt', isBusy: true };
  expect(now({ status: inTurn, canSteer: false })).toMatchObject(queued);
  expect(now({ status: inTurn, hasFiles: true })).toMatchObject(queued);
});

test('while a retry waits there is nobody to steer', () => {
  const waiting = now({ status: { ...inTurn, retry: retry('outrigger') } });
  expect(waiting).toMatchObject({ way: 'send', label: 'Send instead', isBusy: false });
  expect(waiting.placeholder).toMatch(/call off the retry/);
  // The agent's own retry is a part of its turn.
  const own = now({ status: { ...inTurn, retry: retry('agent') } });
  expect(own).toMatchObject({ way: 'steer', isBusy: true });
  expect(own.placeholder).toMatch(/when it does/);
});

test('what is over is resumed, and what rests is prompted', () => {
  expect(now({ liveness: { type: 'interrupted' }, status: null }).label).toBe('Resume');
  expect(now({}).placeholder).toMatch(/@ for files, \/ for commands/);
  const queue = [{ promptId: 'p', text: 'x' }];
  expect(now({ status: { ...fresh, queue } }).placeholder).toMatch(/before the queue/);
});

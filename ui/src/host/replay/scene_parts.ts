// Of what is a scene made? Sessions with a life, items in a journal, times that lie in the past.

import type { Item } from '../../protocol/Item';
import type { ItemBody } from '../../protocol/ItemBody';
import type { Liveness } from '../../protocol/Liveness';
import type { TreePod } from '../../protocol/TreePod';
import type { SessionSummary } from '../../protocol/SessionSummary';
import { noUsage, stands } from './script';
import { freshStatus, type Kept } from './session';

/** A session of a scene, with items before its own that are made on demand. */
export interface SceneSession extends Kept {
  older?: { count: number; at: (ordinal: number) => ItemBody };
}

export interface Scene {
  /** Whether an agent's CLI is found on the pretended machine. */
  found: boolean;
  /** Whether a runtime of runners is; usually one is. */
  runtime?: boolean;
  sessions: SceneSession[];
  /** All pods of all trees. */
  trees?: TreePod[];
}

/** A time in the past, RFC 3339. */
export const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();

/** A session as the list shows it, that last did something so many minutes ago. */
export function summary(
  id: string,
  title: string,
  minutes: number,
  liveness: Liveness,
  more: Partial<SessionSummary> = {},
): SessionSummary {
  return {
    session: id,
    provider: 'claude',
    workspace: '~/src/oars',
    cwd: '~/src/oars',
    title,
    parent: null,
    createdAt: minutesAgo(minutes + 20),
    updatedAt: minutesAgo(minutes),
    model: 'sonnet-5',
    nativeSessionId: '7c0f2a52-9d1c-4f6e-8f0e-2b7d3f1c9a10',
    usage: {
      ...noUsage,
      inputTokens: 48_200,
      outputTokens: 3900,
      costUsd: 0.31,
      contextUsed: 52_000,
      contextSize: 200_000,
    },
    liveness,
    ...more,
  };
}

/** Live, and waits for a prompt. */
export const idle: Liveness = { type: 'live', state: { type: 'idle' }, waiting: 0, queued: 0 };
/** Live, and in a turn for so many minutes. */
export const working = (minutes: number): Liveness => ({
  type: 'live',
  state: { type: 'working', on: { type: 'model' }, since: minutesAgo(minutes) },
  waiting: 0,
  queued: 0,
});
/** Over since so many minutes. */
export const ended = (outcome: 'done' | 'failed' | 'stopped', minutes: number): Liveness => ({
  type: 'ended',
  outcome,
  at: minutesAgo(minutes),
});

/** A session with these items in its journal. */
export function session(about: SessionSummary, items: Item[]): SceneSession {
  const { liveness } = about;
  const status =
    liveness.type === 'live' ? { ...freshStatus(about), state: liveness.state, cliVersion: '2.1.214' } : null;
  return { summary: about, status, items, live: [], seq: items.at(-1)?.seq ?? 0, steps: [], turns: 0 };
}

/** Items as a journal has them. */
export function standing(bodies: (ItemBody | { body: ItemBody; parent: string })[], at: string): Item[] {
  return bodies.map((entry, ordinal) =>
    'body' in entry ? stands(ordinal, entry.body, at, entry.parent) : stands(ordinal, entry, at),
  );
}

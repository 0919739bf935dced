// Which sessions need the user, which work, which rest? The order of the list, with sub-agents under their parent.

import type { Liveness } from '../protocol/Liveness';
import type { SessionSummary } from '../protocol/SessionSummary';
import type { StopReason } from '../protocol/StopReason';
import { verdicts } from './trouble_words';

/** What a session wants of the user, most urgent first. */
export const GROUPS = ['needsYou', 'working', 'idle', 'ended'] as const;
export type Group = (typeof GROUPS)[number];

/** Finer than the group: what its mark shows. */
export type SessionState =
  'needsYou' | 'starting' | 'working' | 'stopping' | 'idle' | 'unknown' | 'done' | 'stopped' | 'failed' | 'interrupted';

/** A session in the list, as deep as its parents are many. */
export interface Row {
  summary: SessionSummary;
  state: SessionState;
  depth: number;
}

/** What a session is doing, from what the list tells of it. */
export function stateOf(liveness: Liveness): SessionState {
  switch (liveness.type) {
    case 'unknown':
      return 'unknown';
    case 'interrupted':
      return 'interrupted';
    case 'ended':
      return liveness.outcome;
    case 'live':
      if (liveness.waiting > 0) return 'needsYou';
      return stateOfPod(liveness.state);
  }
}

type PodState = Extract<Liveness, { type: 'live' }>['state'];

function stateOfPod(state: PodState): SessionState {
  switch (state.type) {
    case 'starting':
      return 'starting';
    case 'idle':
      return 'idle';
    case 'working':
      return state.on.type === 'permission' ? 'needsYou' : 'working';
    case 'stopping':
    case 'draining':
      return 'stopping';
    case 'ended':
      return state.outcome;
    case 'failed':
      return 'failed';
  }
}

/** What is wrong with a session, in a word, and how urgent it is; null when nothing is. */
export function troubleOf(summary: SessionSummary): { word: string; tone: 'plain' | 'warn' | 'bad' } | null {
  const { liveness } = summary;
  const state = stateOf(liveness);
  if (state === 'failed') return { word: wordFor(state), tone: 'bad' };
  if (state === 'interrupted' || state === 'unknown') return { word: wordFor(state), tone: 'warn' };
  if (liveness.type !== 'live') return null;
  const { retry, health, lastTurn } = liveness;
  if (retry) return { word: `Retry ${retry.attempt} of ${retry.of}`, tone: 'warn' };
  if (health && health !== 'ok') return verdicts[health];
  return lastTurn && state === 'idle' ? troubleOfTurn(lastTurn) : null;
}

/** The agent of a turn that came to nothing waits as one that is done does; the list has to tell them apart. */
function troubleOfTurn(last: StopReason): { word: string; tone: 'warn' | 'bad' } | null {
  switch (last) {
    case 'endTurn':
    case 'interrupted':
      return null;
    case 'maxTurns':
      return { word: 'Cut short', tone: 'warn' };
    case 'refused':
      return { word: 'Refused', tone: 'warn' };
    case 'error':
      return { word: 'Turn failed', tone: 'bad' };
  }
}

/** The group that a state belongs to. */
export function groupOf(state: SessionState): Group {
  switch (state) {
    case 'needsYou':
      return 'needsYou';
    case 'starting':
    case 'working':
    case 'stopping':
      return 'working';
    case 'idle':
    case 'unknown':
      return 'idle';
    case 'done':
    case 'stopped':
    case 'failed':
    case 'interrupted':
      return 'ended';
  }
}

/** Words for a state, for people and for screen readers. */
export function wordFor(state: SessionState): string {
  const words: Record<SessionState, string> = {
    needsYou: 'Needs you',
    starting: 'Starting',
    working: 'Working',
    stopping: 'Stopping',
    idle: 'Idle',
    unknown: 'Does not answer',
    done: 'Done',
    stopped: 'Stopped',
    failed: 'Failed',
    interrupted: 'Interrupted',
  };
  return words[state];
}

/** The list in groups; a tree stands in the group of its most urgent member. */
export function grouped(sessions: SessionSummary[]): Map<Group, Row[]> {
  const known = new Set(sessions.map((summary) => summary.session));
  const children = new Map<string, SessionSummary[]>();
  const roots: SessionSummary[] = [];
  for (const summary of sessions) {
    if (summary.parent === null || !known.has(summary.parent)) roots.push(summary);
    else children.set(summary.parent, [...(children.get(summary.parent) ?? []), summary]);
  }
  const groups = new Map<Group, Row[]>(GROUPS.map((group) => [group, []]));
  for (const root of roots) {
    const rows = treeOf(root, children, 0);
    const urgent = Math.min(...rows.map((row) => GROUPS.indexOf(groupOf(row.state))));
    groups.get(GROUPS[urgent] ?? 'ended')?.push(...rows);
  }
  return groups;
}

function treeOf(summary: SessionSummary, children: Map<string, SessionSummary[]>, depth: number): Row[] {
  const row: Row = { summary, state: stateOf(summary.liveness), depth };
  if (depth > 8) return [row];
  return [row, ...(children.get(summary.session) ?? []).flatMap((child) => treeOf(child, children, depth + 1))];
}

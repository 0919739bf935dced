// In which order and how deep do the pods of a tree stand, and what is each of them doing?

import type { PodOutcome } from '../../protocol/PodOutcome';
import type { PodTree } from '../../protocol/PodTree';
import type { SessionId } from '../../protocol/SessionId';
import type { SessionSummary } from '../../protocol/SessionSummary';
import type { TreePod } from '../../protocol/TreePod';
import { stateOf, type SessionState } from '../../state/session_groups';

/** A pod in the tree. */
export interface PodRow {
  pod: TreePod;
  session: SessionId;
  depth: number;
  /** Its place among all pods of the tree, in the order in which they were spawned: its colour. */
  place: number;
  state: SessionState;
  isLive: boolean;
  hasChildren: boolean;
  /** Whether it was spawned by another pod than the one that it stands under. */
  isAdopted: boolean;
  /** As the list of sessions has it. */
  summary: SessionSummary | null;
}

const ofOutcome: Record<PodOutcome, SessionState> = {
  completed: 'done',
  failed: 'failed',
  cancelled: 'stopped',
  disconnected: 'interrupted',
};

/** How a pod ended, for people. */
export const outcomeWords: Record<PodOutcome, string> = {
  completed: 'Completed',
  failed: 'Failed',
  cancelled: 'Stopped',
  disconnected: 'Gone without a word',
};

/** Every pod below its parent, those that were spawned first before the later ones. */
export function rowsOf(tree: PodTree, sessions: SessionSummary[]): PodRow[] {
  const summaries = new Map(sessions.map((summary) => [summary.session, summary]));
  const places = new Map(tree.pods.map((pod, place) => [pod.entry.session, place]));
  const children = new Map<SessionId | null, TreePod[]>();
  for (const pod of tree.pods) {
    const parent = parentOf(pod, places);
    children.set(parent, [...(children.get(parent) ?? []), pod]);
  }
  const seen = new Set<SessionId>();
  const rows = (parent: SessionId | null, depth: number): PodRow[] =>
    (children.get(parent) ?? []).flatMap((pod) => {
      const { session } = pod.entry;
      if (seen.has(session)) return [];
      seen.add(session);
      const under = rows(session, depth + 1);
      return [rowOf(pod, depth, places.get(session) ?? 0, under.length > 0, summaries.get(session) ?? null), ...under];
    });
  return rows(null, 0);
}

/** The pod that one stands under: the live one above it, and for an ended one the one that spawned it. */
function parentOf({ entry }: TreePod, known: Map<SessionId, number>): SessionId | null {
  const parent = entry.parent ?? entry.spawnedBy;
  return parent !== null && parent !== entry.session && known.has(parent) ? parent : null;
}

function rowOf(
  pod: TreePod,
  depth: number,
  place: number,
  hasChildren: boolean,
  summary: SessionSummary | null,
): PodRow {
  const { session, outcome, parent, spawnedBy } = pod.entry;
  const isLive = outcome === null;
  const isAdopted = isLive && parent !== null && spawnedBy !== null && parent !== spawnedBy;
  return { pod, session, depth, place, state: stateOfPod(pod, summary), isLive, hasChildren, isAdopted, summary };
}

function stateOfPod({ entry }: TreePod, summary: SessionSummary | null): SessionState {
  if (entry.outcome !== null) return ofOutcome[entry.outcome];
  if (entry.closing) return 'stopping';
  // Its place is reserved before its keeper runs.
  return summary === null ? 'starting' : stateOf(summary.liveness);
}

/** The rows that stand below a pod, not the pod itself. */
export function under(rows: PodRow[], session: SessionId): PodRow[] {
  const at = rows.findIndex((row) => row.session === session);
  const own = rows[at];
  if (!own) return [];
  const end = rows.findIndex((row, place) => place > at && row.depth <= own.depth);
  return rows.slice(at + 1, end < 0 ? undefined : end);
}

/** The rows in sight, without what stands under folded pods, and without ended ones if they are hidden. */
export function inSight(rows: PodRow[], folded: ReadonlySet<SessionId>, hideEnded: boolean): PodRow[] {
  let foldedAt = Infinity;
  return rows.filter((row) => {
    if (row.depth > foldedAt) return false;
    foldedAt = folded.has(row.session) ? row.depth : Infinity;
    return !hideEnded || row.isLive || row.hasChildren;
  });
}

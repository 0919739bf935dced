// What can the page ask about pods: their trees, their scopes, their budgets?

import type { Budget } from '../protocol/Budget';
import type { FileHolder } from '../protocol/FileHolder';
import type { FolderEntries } from '../protocol/FolderEntries';
import type { PodMoments } from '../protocol/PodMoments';
import type { PodTree } from '../protocol/PodTree';
import type { SessionId } from '../protocol/SessionId';

export interface PodsHost {
  /** The tree that a session is in, as it stands now; without pods when it is in none. */
  podTree(session: SessionId): Promise<PodTree>;
  /** Calls `on` with that tree at once and whenever it changes, at most once a second; gives what ends it. */
  watchPods(session: SessionId, on: (tree: PodTree) => void): Promise<() => void>;
  /** What a pod did, from one of its items on; null for the newest that a time line shows. */
  podMoments(session: SessionId, from: number | null): Promise<PodMoments>;
  /** Says what a pod and all below it may use from now on. */
  setBudget(session: SessionId, budget: Budget): Promise<void>;
  /** Stops the pods below a session, those furthest below first, and with `itself` the session too. */
  stopTree(session: SessionId, itself: boolean): Promise<void>;
  /** The pods whose scopes cover a file, the one that may write there now first. A path is absolute, or below the workspace. */
  whoMayWrite(path: string): Promise<FileHolder[]>;
  /** What lies directly in a folder of the workspace; an empty path is the workspace itself. */
  listFolder(path: string): Promise<FolderEntries>;
}

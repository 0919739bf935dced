// Which pod tree is looked at, and which question about it stands over the window?
//
// One tree is followed at a time, while something shows it; going from pod to pod within it asks for nothing anew.

import { asWireError, type Host } from '../host/host';
import type { PodTree } from '../protocol/PodTree';
import type { SessionId } from '../protocol/SessionId';

/** What is asked of the user about pods. */
export type PodQuestion =
  | { type: 'start'; parent: SessionId }
  /** Whether to stop what is below a session, and with `itself` the session too. */
  | { type: 'stop'; session: SessionId; itself: boolean };

/** The pods of a window. */
export class Pods {
  tree = $state.raw<PodTree | null>(null);
  problem = $state('');
  question = $state.raw<PodQuestion | null>(null);
  #host: Host;
  #followed: SessionId | null = null;
  #end: (() => void) | null = null;

  constructor(host: Host) {
    this.#host = host;
  }

  /** Follows the tree of a session, unless that is the one that is followed. */
  async follow(session: SessionId): Promise<void> {
    if (this.#followed === session || (this.#end && this.#holds(session))) return;
    this.leave();
    this.#followed = session;
    try {
      const end = await this.#host.watchPods(session, (tree) => {
        if (this.#followed === session) this.tree = tree;
      });
      if (this.#followed === session) this.#end = end;
      else end();
    } catch (thrown) {
      if (this.#followed === session) this.problem = asWireError(thrown).message;
    }
  }

  /** Looks at no tree any more. */
  leave(): void {
    this.#end?.();
    this.#end = null;
    this.#followed = null;
    this.tree = null;
    this.problem = '';
  }

  #holds(session: SessionId): boolean {
    return this.tree?.pods.some(({ entry }) => entry.session === session) ?? false;
  }
}

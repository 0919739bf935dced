// What did the pods of a tree do, and when? Read from their journals while somebody looks, and only what is new.

import { SvelteMap } from 'svelte/reactivity';
import { asWireError, type Host } from '../host/host';
import type { PodMoment } from '../protocol/PodMoment';
import type { SessionId } from '../protocol/SessionId';

/** Moments of one pod that are kept; older ones are let go. */
const KEPT = 500;

interface Known {
  moments: PodMoment[];
  next: number | null;
  /** What the list said when it was read: nothing new is there before that changes. */
  seen: string;
}

/** The moments of several pods. */
export class PodMomentsOf {
  readonly of = new SvelteMap<SessionId, Known>();
  /** Whether older moments were left out anywhere. */
  cut = $state(false);
  problem = $state('');
  #host: Host;
  #reading = false;

  constructor(host: Host) {
    this.#host = host;
  }

  /** Reads what is new of these pods; `changed` is when each last did something. */
  async refresh(pods: { session: SessionId; changed: string }[]): Promise<void> {
    if (this.#reading) return;
    this.#reading = true;
    const read: [SessionId, Known][] = [];
    try {
      for (const { session, changed } of pods) {
        const known = this.of.get(session);
        if (known?.seen === changed) continue;
        const { moments, next, cut } = await this.#host.podMoments(session, known?.next ?? null);
        this.cut ||= cut;
        const settled = (known?.moments ?? []).filter((one) => !moments.some((other) => other.item === one.item));
        read.push([session, { moments: [...settled, ...moments].slice(-KEPT), next, seen: changed }]);
      }
      this.problem = '';
    } catch (thrown) {
      this.problem = asWireError(thrown).message;
    } finally {
      // All at once: the picture is drawn once for all of them.
      for (const [session, known] of read) this.of.set(session, known);
      this.#reading = false;
    }
  }
}

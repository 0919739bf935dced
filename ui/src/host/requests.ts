// Which permission requests wait, of every session that the replay lists? Put together from the list of sessions and the status of
// those that wait, as the shell does it (`src-tauri/src/requests.rs`).

import type { PendingPermission } from '../protocol/PendingPermission';
import type { PodStatus } from '../protocol/PodStatus';
import type { SessionList } from '../protocol/SessionList';
import type { SessionSummary } from '../protocol/SessionSummary';
import type { WaitingRequest } from '../protocol/WaitingRequest';

/** The titles above a session, as far as the list knows them. */
export function lineageOf(summary: SessionSummary, sessions: SessionSummary[]): string[] {
  const titles: string[] = [];
  const seen = new Set([summary.session]);
  let parent = summary.parent;
  while (parent !== null && !seen.has(parent)) {
    seen.add(parent);
    const above = sessions.find((other) => other.session === parent);
    if (!above) break;
    titles.unshift(above.title);
    parent = above.parent;
  }
  return titles;
}

/** Follows the list of sessions and tells the requests that wait, the oldest first, whenever they changed. */
export class RequestReader {
  #status: (session: string) => Promise<PodStatus | null>;
  #on: (requests: WaitingRequest[]) => void;
  #known = new Map<string, { version: string; requests: PendingPermission[] }>();
  #told = '';
  #newest = 0;

  constructor(status: (session: string) => Promise<PodStatus | null>, on: (requests: WaitingRequest[]) => void) {
    this.#status = status;
    this.#on = on;
  }

  /** Takes a newer list. Only sessions that wait, and changed since, are asked. */
  async take({ sessions }: SessionList): Promise<void> {
    const turn = ++this.#newest;
    const waiting = sessions.filter(({ liveness }) => liveness.type === 'live' && liveness.waiting > 0);
    const ids = new Set(waiting.map(({ session }) => session));
    for (const session of this.#known.keys()) if (!ids.has(session)) this.#known.delete(session);
    await Promise.all(waiting.map((summary) => this.#read(summary)));
    if (turn !== this.#newest) return;
    const requests = waiting.flatMap((summary) =>
      (this.#known.get(summary.session)?.requests ?? []).map((request) => ({
        summary,
        lineage: lineageOf(summary, sessions),
        request,
      })),
    );
    requests.sort((a, b) => a.request.since.localeCompare(b.request.since));
    const told = JSON.stringify(requests);
    if (told === this.#told) return;
    this.#told = told;
    this.#on(requests);
  }

  async #read(summary: SessionSummary): Promise<void> {
    const version = `${summary.updatedAt} ${JSON.stringify(summary.liveness)}`;
    if (this.#known.get(summary.session)?.version === version) return;
    try {
      const status = await this.#status(summary.session);
      this.#known.set(summary.session, { version, requests: status?.permissions ?? [] });
    } catch {
      // It does not answer just now; its next change asks again, and what is known of it stays.
    }
  }
}

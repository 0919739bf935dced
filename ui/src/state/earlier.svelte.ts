// Which conversations in the CLIs' own folders does this window show, and has the user been asked about them?

import { asWireError, type Host } from '../host/host';
import type { EarlierList } from '../protocol/EarlierList';
import type { EarlierSession } from '../protocol/EarlierSession';
import type { SessionId } from '../protocol/SessionId';
import type { JsonValue } from '../protocol/serde_json/JsonValue';

/** Conversations that are no sessions of ours yet. */
export class Earlier {
  lists = $state.raw<EarlierList[]>([]);
  /** Why one could not be taken in, or the folders not be read. */
  problem = $state('');
  /** The one that is being taken in, by the CLI's own id. */
  taking = $state<string | null>(null);
  /** CLIs about which the user has not been asked. */
  readonly undecided = $derived(this.lists.filter((list) => !list.isDecided));
  /** CLIs that have something to show in this window. */
  readonly shown = $derived(this.lists.filter((list) => list.sessions.length > 0));
  #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  /** Looks into the folders again. */
  async look(): Promise<void> {
    try {
      this.lists = await this.#host.earlierSessions();
    } catch (thrown) {
      this.problem = asWireError(thrown).message;
    }
  }

  /** Says for every CLI that the user has not been asked about whether its conversations are shown. */
  async decide(shows: boolean): Promise<void> {
    try {
      for (const { setting } of this.undecided) await this.#host.writeSetting(setting, shows satisfies JsonValue);
    } catch (thrown) {
      this.problem = asWireError(thrown).message;
    }
    await this.look();
  }

  /** Makes a session of one; null when that failed. */
  async takeIn({ cli, nativeSessionId }: EarlierSession): Promise<SessionId | null> {
    if (this.taking !== null) return null;
    this.taking = nativeSessionId;
    this.problem = '';
    try {
      return await this.#host.takeInSession(cli, nativeSessionId);
    } catch (thrown) {
      this.problem = asWireError(thrown).message;
      return null;
    } finally {
      this.taking = null;
      void this.look();
    }
  }
}

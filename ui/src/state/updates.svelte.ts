// What does this window know of newer versions of the app?

import { asWireError, type Host } from '../host/host';
import type { UpdateOffer } from '../protocol/UpdateOffer';
import type { UpdateView } from '../protocol/UpdateView';

/** Newer versions, as the shell tells of them. */
export class Updates {
  view = $state.raw<UpdateView | null>(null);
  /** Why the shell could not be asked. */
  problem = $state('');
  /** The newer version that waits for the user. */
  readonly ready = $derived.by<UpdateOffer | null>(() =>
    this.view?.state.type === 'ready' ? this.view.state.offer : null,
  );
  #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  async begin(): Promise<void> {
    await this.#ask(() => this.#host.watchUpdates((view) => (this.view = view)));
  }

  look(): Promise<void> {
    return this.#ask(() => this.#host.lookForUpdates());
  }

  install(): Promise<void> {
    return this.#ask(() => this.#host.installUpdate());
  }

  async #ask(ask: () => Promise<void>): Promise<void> {
    try {
      this.problem = '';
      await ask();
    } catch (thrown) {
      this.problem = asWireError(thrown).message;
    }
  }
}

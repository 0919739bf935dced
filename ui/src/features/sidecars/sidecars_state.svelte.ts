// Which sidecars are there, how do they stand, and which is looked at? Followed while the place is open, and never longer.

import { asWireError, type Host } from '../../host/host';
import type { SidecarsFrame } from '../../protocol/SidecarsFrame';
import type { SidecarView } from '../../protocol/SidecarView';
import { keep, kept } from '../../state/kept';

/** What can be asked of a sidecar. */
export type Order = 'start' | 'stop' | 'restart';

/** The sidecars of a window. */
export class SidecarsState {
  /** In the order of the host; null until the first answer. */
  all = $state.raw<SidecarView[] | null>(null);
  /** Why nothing can be told just now. */
  lost = $state('');
  /** Why the last order was not taken, by folder. */
  problems = $state.raw<Record<string, string>>({});
  /** The folders whose orders are on their way. */
  busy = $state.raw<string[]>([]);
  /** The folder that is looked at. */
  chosen = $state('');
  readonly shown = $derived(this.all?.find(({ folder }) => folder === this.chosen) ?? null);
  #host: Host;
  /** Under which the chosen one is kept over a reload. */
  #key: string;
  #since = new Map<string, { state: string; at: number }>();
  #ends: (() => void) | null = null;
  #over = false;

  constructor(host: Host, workspace: string) {
    this.#host = host;
    this.#key = `sidecar.${workspace}`;
    this.chosen = kept<string>(this.#key, '');
  }

  async begin(): Promise<void> {
    try {
      const end = await this.#host.watchSidecars((frame) => this.#take(frame));
      if (this.#over) end();
      else this.#ends = end;
    } catch (thrown) {
      this.lost = asWireError(thrown).message;
    }
  }

  end(): void {
    this.#over = true;
    this.#ends?.();
    this.#ends = null;
  }

  choose(folder: string): void {
    this.chosen = folder;
    keep(this.#key, folder === '' ? undefined : folder);
  }

  /** When a sidecar came to its state, as far as this window saw it, in milliseconds. */
  since(folder: string): number {
    return this.#since.get(folder)?.at ?? 0;
  }

  /** Whether another one of its name comes first, so that this one is out of reach by name. */
  isHidden(view: SidecarView): boolean {
    return this.all?.find(({ name }) => name === view.name)?.folder !== view.folder;
  }

  async order(view: SidecarView, order: Order): Promise<void> {
    const asked = { start: 'startSidecar', stop: 'stopSidecar', restart: 'restartSidecar' } as const;
    await this.#asked(view, () => this.#host[asked[order]](view.name));
  }

  /** Gives an answer to the question with this hash; gives whether it was taken. */
  async trust(view: SidecarView, hash: string, trusted: boolean): Promise<boolean> {
    return this.#asked(view, () => this.#host.trustSidecar(view.name, hash, trusted));
  }

  async #asked(view: SidecarView, ask: () => Promise<void>): Promise<boolean> {
    const { folder } = view;
    if (this.busy.includes(folder)) return false;
    this.busy = [...this.busy, folder];
    const { [folder]: _, ...others } = this.problems;
    this.problems = others;
    try {
      await ask();
      return true;
    } catch (thrown) {
      this.problems = { ...this.problems, [folder]: asWireError(thrown).message };
      return false;
    } finally {
      this.busy = this.busy.filter((other) => other !== folder);
    }
  }

  #take(frame: SidecarsFrame): void {
    if (this.#over) return;
    switch (frame.type) {
      case 'lost':
        this.lost = frame.message;
        return;
      case 'figures': {
        const figures = new Map(frame.figures.map((one) => [one.folder, one]));
        this.all = (this.all ?? []).map((view) => ({ ...view, ...figures.get(view.folder) }));
        return;
      }
      case 'changed': {
        this.lost = '';
        const known = new Map((this.all ?? []).map((view) => [view.folder, view]));
        for (const view of frame.sidecars) {
          known.set(view.folder, view);
          const state = JSON.stringify(view.state);
          if (this.#since.get(view.folder)?.state !== state) this.#since.set(view.folder, { state, at: Date.now() });
        }
        this.all = frame.order.flatMap((folder) => known.get(folder) ?? []);
      }
    }
  }
}

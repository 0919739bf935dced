// Which sessions stand side by side, and which of them do the keys mean? One to four panes; a pane without a session offers a new one.
//
// What a pane shows is opened and closed here; where it is kept over a reload, and what is done about it, is the workspace's.

import type { SessionId } from '../protocol/SessionId';
import type { SessionView } from './session_view.svelte';

/** More than these are too narrow to read. */
const MOST = 4;

export interface Pane {
  /** Stays the same while the pane is there, whatever it shows. */
  readonly key: number;
  readonly view: SessionView | null;
}

/** What is kept over a reload. */
export interface PaneLayout {
  sessions: (SessionId | null)[];
  active: number;
}

/** The panes of one window. */
export class Panes {
  all = $state.raw<Pane[]>([{ key: 0, view: null }]);
  /** The pane that the keys, the inspector and the list mean. */
  active = $state(0);
  readonly view = $derived(this.all[this.active]?.view ?? null);
  readonly isFull = $derived(this.all.length >= MOST);
  readonly layout = $derived<PaneLayout>({
    sessions: this.all.map((pane) => pane.view?.session ?? null),
    active: this.active,
  });
  #keys = 0;
  #opened: (session: SessionId) => SessionView;

  constructor(opened: (session: SessionId) => SessionView) {
    this.#opened = opened;
  }

  /** The place of the pane that shows a session, or -1. */
  placeOf(session: SessionId): number {
    return this.all.findIndex((pane) => pane.view?.session === session);
  }

  /** Shows a session in a pane; one that is on the screen already is gone to instead. */
  show(session: SessionId, place = this.active): void {
    const at = this.placeOf(session);
    if (at >= 0) this.active = at;
    else this.#put(place, this.#opened(session));
  }

  /** Shows a session beside the others; where there is no more room, in the last pane. */
  showBeside(session: SessionId | null): void {
    if (session !== null && this.placeOf(session) >= 0) return this.show(session);
    const view = session === null ? null : this.#opened(session);
    if (this.isFull) return this.#put(this.all.length - 1, view);
    this.all = [...this.all, { key: ++this.#keys, view }];
    this.active = this.all.length - 1;
  }

  /** Empties the pane in use, for a new session. */
  clear(): void {
    if (this.view !== null) this.#put(this.active, null);
  }

  /** Takes a pane away; the last one stays and is emptied. */
  close(place: number): void {
    if (this.all.length === 1) return this.clear();
    this.all[place]?.view?.close();
    this.all = this.all.filter((_, at) => at !== place);
    this.active = Math.min(this.active > place ? this.active - 1 : this.active, this.all.length - 1);
  }

  /** Leaves the pane in use alone on the screen. */
  closeOthers(): void {
    for (let place = this.all.length - 1; place >= 0; place--) if (place !== this.active) this.close(place);
  }

  /** Makes a pane the one in use. */
  activate(place: number): void {
    if (place >= 0 && place < this.all.length) this.active = place;
  }

  /** Ends every view. */
  closeAll(): void {
    for (const pane of this.all) pane.view?.close();
  }

  /** Brings a layout back. Sessions that `exists` does not know are left out. */
  restore(layout: PaneLayout, exists: (session: SessionId) => boolean): void {
    const wanted = layout.sessions.filter((session) => session === null || exists(session)).slice(0, MOST);
    const [first, ...others] = wanted;
    if (first != null) this.show(first, 0);
    for (const session of others) this.showBeside(session);
    this.activate(Math.min(layout.active, this.all.length - 1));
  }

  #put(place: number, view: SessionView | null): void {
    this.all[place]?.view?.close();
    this.all = this.all.map((pane, at) => (at === place ? { key: pane.key, view } : pane));
    this.active = place;
  }
}

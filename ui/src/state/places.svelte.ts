// Which place stands in front of the sessions: search, usage, sidecars, the debug log, doctor, settings, or none? And what was before it?
//
// The sessions stay as they are behind a place, so that leaving it shows them where they were.

import { keep, kept } from './kept';

/** Everything in a window that is not a session. */
export const PLACES = ['search', 'usage', 'sidecars', 'debugLog', 'doctor', 'settings'] as const;

export type Place = (typeof PLACES)[number];

/** Steps back that are remembered. */
const TRAIL = 20;

/** The place in front of one window's sessions. */
export class Places {
  /** Null while the sessions are in front. */
  current = $state<Place | null>(null);
  /** The session that the debug log is about when it is opened next; empty for all. */
  logged = '';
  #trail = $state.raw<(Place | null)[]>([]);
  #key = '';

  /** Whether there is something to go back to. */
  readonly canGoBack = $derived(this.#trail.length > 0);

  /** Brings the place back that was in front before a reload, and keeps it from now on. */
  begin(workspace: string): void {
    this.#key = `place.${workspace}`;
    const place = kept<string | null>(this.#key, null);
    this.current = PLACES.find((known) => known === place) ?? null;
  }

  /** Goes to a place. */
  open(place: Place): void {
    if (this.current !== place) this.#go(place);
  }

  /** Goes to the lines of the debug log that are about a session. */
  openLog(session: string): void {
    this.logged = session;
    this.open('debugLog');
  }

  /** Goes to a place, or away from it if it is in front. */
  toggle(place: Place): void {
    if (this.current === place) this.back();
    else this.open(place);
  }

  /** Shows the sessions; `back` returns to the place. */
  leave(): void {
    if (this.current !== null) this.#go(null);
  }

  /** Returns to what was in front before; with nothing before, to the sessions. */
  back(): void {
    const [before = null] = this.#trail.slice(-1);
    this.#trail = this.#trail.slice(0, -1);
    this.#show(before);
  }

  #go(place: Place | null): void {
    this.#trail = [...this.#trail, this.current].slice(-TRAIL);
    this.#show(place);
  }

  #show(place: Place | null): void {
    this.current = place;
    if (this.#key !== '') keep(this.#key, place ?? undefined);
  }
}

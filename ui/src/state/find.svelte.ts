// Where in a session do these words stand? Asked of the host in ranges, newest first, so that the page need not hold what it searches.

import { tick } from 'svelte';
import type { SessionView } from './session_view.svelte';

/** Items of one question to the host. */
const RANGE = 500;
/** More places than these are not counted; nobody steps through them. */
const MOST = 10_000;

/** A search in one session. */
export class Find {
  isOpen = $state(false);
  words = $state('');
  /** Places that hold the words, in the order of the transcript. */
  places = $state.raw<number[]>([]);
  /** Which of the places is gone to, or -1. */
  current = $state(-1);
  isSearching = $state(false);
  readonly isCut = $derived(this.places.length >= MOST);
  readonly place = $derived(this.places[this.current] ?? null);
  #view: SessionView;
  #go: (place: number) => void;
  #turn = 0;
  /** Items before this place have been searched, when a search is through. */
  #searched = 0;

  constructor(view: SessionView, go: (place: number) => void) {
    this.#view = view;
    this.#go = go;
  }

  close(): void {
    this.#turn += 1;
    this.isOpen = this.isSearching = false;
    this.places = [];
    this.current = -1;
  }

  /** Searches the whole session anew, from its end to its beginning. */
  async search(words: string): Promise<void> {
    const turn = ++this.#turn;
    this.words = words;
    this.places = [];
    this.current = -1;
    const total = this.#view.transcript.total;
    this.#searched = total;
    if (words.trim() === '') return;
    this.isSearching = true;
    for (let to = total; to > 0 && !this.isCut; to -= RANGE) {
      const from = Math.max(0, to - RANGE);
      const found = await this.#view.find(words, from, to - from);
      if (turn !== this.#turn) return;
      this.places = [...found, ...this.places];
      if (this.current >= 0) this.current += found.length;
      else if (found.length > 0) this.#to(this.places.length - 1);
    }
    this.isSearching = false;
  }

  /** Takes in what has been said since the search. */
  async extend(): Promise<void> {
    const total = this.#view.transcript.total;
    if (!this.isOpen || this.isSearching || this.words.trim() === '' || total <= this.#searched) return;
    const turn = this.#turn;
    const from = this.#searched;
    this.#searched = total;
    const found = await this.#view.find(this.words, from, total - from);
    if (turn === this.#turn && found.length > 0) this.places = [...this.places, ...found];
  }

  /** Goes to the next place, or the one before; round at the ends. */
  step(by: 1 | -1): void {
    const { length } = this.places;
    if (length > 0) this.#to((this.current + by + length) % length);
  }

  #to(at: number): void {
    this.current = at;
    const place = this.places[at];
    if (place !== undefined) void tick().then(() => this.#go(place));
  }
}

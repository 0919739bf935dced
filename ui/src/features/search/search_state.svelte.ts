// What is being searched for, and what was found? Kept while the window is open, so that coming back shows the same hits.

import { asWireError, type Host } from '../../host/host';
import type { ArchiveState } from '../../protocol/ArchiveState';
import type { SearchHit } from '../../protocol/SearchHit';
import type { SearchKind } from '../../protocol/SearchKind';
import { keep, kept } from '../../state/kept';
import type { Workspace } from '../../state/workspace.svelte';

/** How far back: days, or all time. */
export type Since = 'any' | '1' | '7' | '30' | '365';

export interface Filters {
  provider: string;
  workspace: string;
  kind: SearchKind | '';
  since: Since;
}

const NONE: Filters = { provider: '', workspace: '', kind: '', since: 'any' };
/** Hits of the first answer, and how many more each time. */
const FIRST = 40;
/** The most that the archive gives. */
const MOST = 500;
const DAY_MS = 86_400_000;
/** Searches that are offered again. */
const REMEMBERED = 6;

/** Hits of one session, the best first. */
export interface Found {
  session: string;
  title: string;
  provider: string;
  workspace: string;
  hits: SearchHit[];
}

/** One search over all sessions. */
export class SearchState {
  words = $state('');
  filters = $state.raw<Filters>(NONE);
  hits = $state.raw<SearchHit[]>([]);
  more = $state(false);
  /** Whether a word is in too many places to say which hit is the best. */
  newestFirst = $state(false);
  /** How far the archive has come; null before the first answer. */
  archive = $state.raw<ArchiveState | null>(null);
  problem = $state('');
  isSearching = $state(false);
  /** The words of the hits that are shown. */
  answered = $state('');
  /** Where the list stood when it was left, in pixels. */
  top = 0;
  recent = $state.raw<string[]>(kept('searches', []));

  #host: Host;
  #turn = 0;
  #limit = FIRST;

  constructor(host: Host) {
    this.#host = host;
  }

  // This outlives the component that first asks for it, and what is derived within a component ends with it: so these are asked anew.

  get hasFilters(): boolean {
    return Object.entries(NONE).some(([key, value]) => this.filters[key as keyof Filters] !== value);
  }

  get isEmpty(): boolean {
    return this.words.trim() === '';
  }

  /** The hits by session, in the order of their best one. */
  get found(): Found[] {
    const sessions = new Map<string, SearchHit[]>();
    for (const hit of this.hits) sessions.set(hit.session, [...(sessions.get(hit.session) ?? []), hit]);
    return [...sessions].flatMap(([session, hits]) => {
      const [first] = hits;
      if (!first) return [];
      return [{ session, title: first.title, provider: first.provider, workspace: first.workspace, hits }];
    });
  }

  narrow(filters: Partial<Filters>): void {
    this.filters = { ...this.filters, ...filters };
    void this.search();
  }

  forgetFilters(): void {
    this.narrow(NONE);
  }

  /** Asks anew, for what is in the field now. */
  async search(): Promise<void> {
    this.#limit = FIRST;
    this.top = 0;
    await this.#ask();
  }

  /** Asks for more hits of the same. */
  async showMore(): Promise<void> {
    this.#limit = Math.min(MOST, this.#limit * 3);
    await this.#ask();
  }

  /** Asks the same again, because the archive has come further. */
  async again(): Promise<void> {
    await this.#ask();
  }

  /** A search that led somewhere is offered again. */
  remember(): void {
    const words = this.words.trim();
    if (words === '') return;
    this.recent = [words, ...this.recent.filter((other) => other !== words)].slice(0, REMEMBERED);
    keep('searches', this.recent);
  }

  async #ask(): Promise<void> {
    const turn = ++this.#turn;
    const text = this.words.trim();
    this.isSearching = true;
    try {
      const answer = await this.#host.search({ text, limit: this.#limit, ...this.#narrowing() });
      if (turn !== this.#turn) return;
      this.hits = answer.hits;
      this.more = answer.more && this.#limit < MOST;
      this.newestFirst = answer.newestFirst ?? false;
      this.archive = answer.state;
      this.answered = text;
      this.problem = '';
    } catch (thrown) {
      if (turn !== this.#turn) return;
      this.problem = asWireError(thrown).message;
    }
    this.isSearching = false;
  }

  #narrowing() {
    const { provider, workspace, kind, since } = this.filters;
    return {
      ...(provider === '' ? {} : { provider }),
      ...(workspace === '' ? {} : { workspace }),
      ...(kind === '' ? {} : { kinds: [kind] }),
      ...(since === 'any' ? {} : { since: new Date(Date.now() - Number(since) * DAY_MS).toISOString() }),
    };
  }
}

const states = new WeakMap<Workspace, SearchState>();

/** The search of a window. */
export function searchOf(workspace: Workspace): SearchState {
  const state = states.get(workspace) ?? new SearchState(workspace.host);
  states.set(workspace, state);
  return state;
}

// What can be done just now, by which keys? One list, offered by the parts of the page that are there; the command palette shows
// it and the window's keys run it, so that no shortcut is known to one of them alone.

import { getContext, onDestroy, setContext } from 'svelte';
import { SvelteSet } from 'svelte/reactivity';
import { isPressed } from '../kit/keys';

const KEY = Symbol('actions');

/** Something that the user can have done. */
export interface Action {
  /** Stable, for tests and for what was used last. */
  id: string;
  /** Begins with a verb. */
  title: string;
  /** What it is about, as a word beside the title. */
  about: string;
  /** As `isPressed` reads them. */
  keys?: string;
  /** Words by which it is found too. */
  words?: string[];
  /** Runs again while the keys are held down. */
  repeats?: boolean;
  run: () => void;
}

type Source = () => Action[];

/** The actions of one window. */
export class Actions {
  #sources = new SvelteSet<Source>();

  /** Everything that can be done now. */
  readonly all = $derived([...this.#sources].flatMap((source) => source()));

  offer(source: Source): void {
    this.#sources.add(source);
  }

  withdraw(source: Source): void {
    this.#sources.delete(source);
  }

  /** The action that a key press asks for. */
  forKey(event: KeyboardEvent): Action | undefined {
    return this.all.find((action) => action.keys !== undefined && isPressed(event, action.keys));
  }
}

/** Makes the actions known to the components below. */
export function provideActions(): Actions {
  return setContext(KEY, new Actions());
}

/** The actions of this window. */
export function useActions(): Actions {
  return getContext(KEY);
}

/** Offers actions while the calling component is mounted. The list may change with what it reads. */
export function offerActions(source: Source): void {
  const actions = useActions();
  actions.offer(source);
  onDestroy(() => actions.withdraw(source));
}

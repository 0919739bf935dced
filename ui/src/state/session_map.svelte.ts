// Where in a session did turns begin, where were errors and requests? Read in ranges from the end while nothing else goes on, so
// that a map of a long session costs its opening nothing.

import type { Mark } from '../protocol/Mark';
import type { SessionView } from './session_view.svelte';

/** Items of one question to the host. */
const RANGE = 500;
/** Items before the newest ones that are mapped; what is older is told as not mapped. */
const MOST = 5_000;

/** The map of one session. */
export class SessionMap {
  /** In the order of the transcript. */
  marks = $state.raw<Mark[]>([]);
  /** Places from here on are mapped. */
  from = $state(0);
  /** Places before this one are mapped. */
  to = $state(0);
  #view: SessionView;
  #isReading = false;
  #isOver = false;

  constructor(view: SessionView) {
    this.#view = view;
  }

  /** Reads what is not mapped yet. Call it whenever the session grew. */
  async read(): Promise<void> {
    if (this.#isReading) return;
    this.#isReading = true;
    try {
      while (!this.#isOver && (await this.#readNext())) await new Promise((resolve) => setTimeout(resolve));
    } catch {
      // What is mapped stays; the next growth asks again.
    } finally {
      this.#isReading = false;
    }
  }

  /** Ends the reading. */
  close(): void {
    this.#isOver = true;
  }

  /** The mark before or after a place, of the given kinds. */
  near(place: number, by: 1 | -1, kinds: Mark['kind'][]): Mark | undefined {
    const fits = (mark: Mark) => kinds.includes(mark.kind) && (by > 0 ? mark.place > place : mark.place < place);
    return by > 0 ? this.marks.find(fits) : this.marks.findLast(fits);
  }

  async #readNext(): Promise<boolean> {
    const { total } = this.#view.transcript;
    if (this.to === 0) this.from = this.to = total;
    const from = this.to < total ? this.to : Math.max(0, this.from - RANGE);
    const limit = this.to < total ? Math.min(RANGE, total - this.to) : this.from - from;
    if (limit === 0 || (this.to === total && total - this.from >= MOST)) return false;
    const marks = await this.#view.readMarks(from, limit);
    const isNewer = from >= this.to;
    this.marks = isNewer ? [...this.marks, ...marks] : [...marks, ...this.marks];
    if (isNewer) this.to = from + limit;
    else this.from = from;
    return true;
  }
}

// When may a text that grows be drawn again, and how much of it? Soon while that is cheap, and the later the longer a drawing takes:
// what streams leaves most of the time to whoever scrolls and types. What nobody sees is not drawn until it comes into view.

/** After a drawing nothing is drawn for so many times as long as it took. */
const REST = 3;
/** However long a drawing took, the next one waits no longer than this, in milliseconds. */
const LONGEST_REST_MS = 500;
/** What grew while nobody saw it is drawn in leaps of about so many characters, each of which takes no longer than a frame or two. */
const LEAP = 4_000;
/** A text that is very far behind takes larger leaps: no more of them than about this many. */
const LEAPS = 12;

/** How much of `text` is drawn when it comes into the page: all that a frame has time for. */
export function begin(text: string): string {
  return text.length <= 2 * LEAP ? text : leap('', text);
}

/** How much of `text` is drawn next, when `shown` is what is drawn: whole lines. */
export function leap(shown: string, text: string): string {
  const behind = text.length - shown.length;
  if (behind <= LEAP) return text;
  const end = text.indexOf('\n', shown.length + Math.max(LEAP, behind / LEAPS));
  return end < 0 ? text : text.slice(0, end + 1);
}

/** The pace of one text. */
export class DrawingPace {
  #hasMore = false;
  #isBusy = false;
  #isOver = false;
  #isSeen = true;
  #draw: () => void;

  /** `draw` is called when the text may be drawn. One that leaves a part of it for later says again that the text grew. */
  constructor(draw: () => void) {
    this.#draw = draw;
  }

  /** The text grew. */
  grew(): void {
    this.#hasMore = true;
    this.#goOn();
  }

  /** The text came into view, or left it. */
  seen(isSeen: boolean): void {
    this.#isSeen = isSeen;
    this.#goOn();
  }

  /** Nothing is drawn from now on. */
  end(): void {
    this.#isOver = true;
  }

  #go(): void {
    if (this.#isOver) return;
    this.#hasMore = false;
    this.#isBusy = true;
    const began = performance.now();
    this.#draw();
    // What was changed is in the page after this task's microtasks, and on the screen after the frame.
    queueMicrotask(() => {
      const drawn = performance.now() - began;
      const rest = (took: number) => setTimeout(() => this.#rested(), Math.min(took * REST, LONGEST_REST_MS));
      // A window that is hidden paints nothing.
      const hidden = setTimeout(rest, LONGEST_REST_MS, 0);
      requestAnimationFrame(() => {
        const frame = performance.now();
        setTimeout(() => {
          clearTimeout(hidden);
          rest(drawn + performance.now() - frame);
        });
      });
    });
  }

  #rested(): void {
    this.#isBusy = false;
    this.#goOn();
  }

  #goOn(): void {
    if (this.#hasMore && this.#isSeen && !this.#isBusy) this.#go();
  }
}

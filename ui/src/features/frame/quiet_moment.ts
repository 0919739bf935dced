// When has the window drawn what it begins with, so that what is needed later can be loaded without keeping anybody waiting?

/** Between the window's first picture and what is loaded after it, in milliseconds. */
const AFTER_MS = 150;

let isDrawn = false;
const waiting = new Set<() => void>();

let tell: () => void;
/** Resolves when the window has drawn what it begins with, or at once when it has. */
export const whenDrawn = new Promise<void>((resolve) => (tell = resolve));

/** What the window begins with is drawn. */
export function drawn(): void {
  if (isDrawn) return;
  isDrawn = true;
  tell();
  setTimeout(() => {
    for (const run of waiting) run();
    waiting.clear();
  }, AFTER_MS);
}

/** Runs something then, or soon when that is past. The result takes it back. */
export function whenQuiet(run: () => void): () => void {
  if (!isDrawn) {
    waiting.add(run);
    return () => void waiting.delete(run);
  }
  const soon = setTimeout(run);
  return () => clearTimeout(soon);
}

// What does the page keep over a reload, beyond what the host knows? Drafts, what was seen, and the look of the window.
//
// All of it is small and none of it is truth: a full or forbidden storage loses convenience, never work.

const PREFIX = 'outrigger.';

/** Reads a kept value, or the fallback when there is none or it cannot be read. */
export function kept<T>(key: string, fallback: T): T {
  try {
    const text = localStorage.getItem(PREFIX + key);
    return text === null ? fallback : (JSON.parse(text) as T);
  } catch {
    return fallback;
  }
}

/** Keeps a value; `undefined` forgets it. */
export function keep(key: string, value: unknown): void {
  try {
    if (value === undefined) localStorage.removeItem(PREFIX + key);
    else localStorage.setItem(PREFIX + key, JSON.stringify(value));
  } catch {
    // Storage is full or forbidden; the window works without it.
  }
}

/** The draft of a session's composer. `new` is the one of the new-session view. */
export function draftOf(session: string): string {
  return kept(`draft.${session}`, '');
}

/** Keeps a draft; an empty one is forgotten. */
export function keepDraft(session: string, text: string): void {
  keep(`draft.${session}`, text === '' ? undefined : text);
}

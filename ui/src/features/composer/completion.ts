// Where in a prompt is something to be completed, what is offered there, and how does the prompt read afterwards? Pure.

/** A part of a prompt that can be completed. */
export interface Trigger {
  /** `@` names a file or a session, `/` at the beginning is a command of the agent's own. */
  kind: 'mention' | 'command';
  /** What stands behind the sign, up to the caret. */
  typed: string;
  /** Where the sign stands, and where the caret does. */
  from: number;
  to: number;
}

/** Something that can be put in its place. */
export interface Completion {
  id: string;
  group: 'Files' | 'Sessions' | 'Commands';
  label: string;
  /** The places of the label's characters that fit what was typed. */
  fits: number[];
  /** What it is, in a line. */
  detail: string;
  /** What is put into the prompt. */
  insert: string;
  /** Whether more is to be chosen below it: it is a folder. */
  goesOn: boolean;
}

/** Longest part that is completed, in characters; pasted text is no name. */
const LONGEST = 200;

/** What is completed at the caret, or null. */
export function triggerAt(text: string, caret: number): Trigger | null {
  const before = text.slice(0, caret);
  const command = /^\/([^\s/]*)$/.exec(before);
  if (command) return { kind: 'command', typed: command[1] ?? '', from: 0, to: caret };
  const mention = /(?:^|[\s([{"'])@([^\s@]*)$/.exec(before.slice(-LONGEST));
  if (!mention) return null;
  const typed = mention[1] ?? '';
  return { kind: 'mention', typed, from: caret - typed.length - 1, to: caret };
}

/** The prompt with a completion in its place, and where the caret is then. */
export function completed(
  text: string,
  trigger: Trigger,
  { insert, goesOn }: Completion,
): { text: string; caret: number } {
  const after = text.slice(trigger.to);
  const gap = goesOn || /^\s/.test(after) ? '' : ' ';
  const caret = trigger.from + insert.length + (gap === '' && !goesOn ? 1 : gap.length);
  return { text: text.slice(0, trigger.from) + insert + gap + after, caret };
}

/** How a prompt names a file. */
export function mentionOf(path: string): string {
  return /\s/.test(path) ? `@"${path}"` : `@${path}`;
}

/** A label in runs that fit what was typed and runs that do not. */
export function runsOf(label: string, fits: number[]): { text: string; fits: boolean }[] {
  const wanted = new Set(fits);
  const runs: { text: string; fits: boolean }[] = [];
  for (const [place, letter] of [...label].entries()) {
    const last = runs.at(-1);
    if (last?.fits === wanted.has(place)) last.text += letter;
    else runs.push({ text: letter, fits: wanted.has(place) });
  }
  return runs;
}

/** The places of letters that stand in a label in this order, as close to its beginning as they do; null when they do not. */
export function lettersIn(label: string, typed: string): number[] | null {
  const letters = [...label.toLowerCase()];
  const places: number[] = [];
  for (const letter of typed.toLowerCase()) {
    const at = letters.indexOf(letter, (places.at(-1) ?? -1) + 1);
    if (at < 0) return null;
    places.push(at);
  }
  return places;
}

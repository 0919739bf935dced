// Which signs of a text does a reader not see, or see as others? Signs that turn text around, that take no room, that look like a
// space, and letters beyond those of a keyboard for English, which can look like them.

/** A stretch of a text: as it reads, or one sign that has to be named. */
export type Stretch =
  { type: 'plain'; text: string } | { type: 'foreign'; text: string } | { type: 'hidden'; name: string };

/** What could be said of a whole text. */
export interface Doubts {
  hidden: boolean;
  foreign: boolean;
}

/** Controls, signs of direction and of no width, fillers, separators, every space but the plain one, and what no font has. */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Cn}\p{Zl}\p{Zp}\p{Zs}\p{Default_Ignorable_Code_Point}\u2800]/u;
const FOREIGN = /[^\u0020-\u007e]/u;

/** The stretches of a text. With `lines`, line breaks and tabs are what they are; a command's words have none that mean anything. */
export function stretches(text: string, lines = false): Stretch[] {
  const found: Stretch[] = [];
  const add = (type: 'plain' | 'foreign', sign: string) => {
    const last = found.at(-1);
    if (last?.type === type) last.text += sign;
    else found.push({ type, text: sign });
  };
  for (const sign of lines ? text.replaceAll('\r\n', '\n') : text) {
    if (sign === ' ' || (lines && (sign === '\n' || sign === '\t'))) add('plain', sign);
    else if (HIDDEN.test(sign)) found.push({ type: 'hidden', name: nameOf(sign) });
    else add(FOREIGN.test(sign) ? 'foreign' : 'plain', sign);
  }
  return found;
}

/** What a reader should be told before these texts are believed. */
export function doubts(texts: { text: string; lines?: boolean }[]): Doubts {
  const all = texts.flatMap(({ text, lines }) => stretches(text, lines));
  return { hidden: all.some(({ type }) => type === 'hidden'), foreign: all.some(({ type }) => type === 'foreign') };
}

/** `U+202E`. */
function nameOf(sign: string): string {
  return `U+${(sign.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}

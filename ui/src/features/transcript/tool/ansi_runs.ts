// Which runs of a terminal's output have which colour? As data, so that no HTML is made from strings.

import Anser from 'anser';

export interface Run {
  text: string;
  /** Class names: `red`, `bold`, … */
  classes: string[];
  /** An exact colour, when the program asked for one. */
  color: string | null;
}

const STYLES = new Set(['bold', 'dim', 'italic', 'underline', 'strikethrough', 'reverse']);

/** The coloured runs of `text`. Carriage returns overwrite their line, as in a terminal. */
export function ansiRuns(text: string): Run[] {
  const settled = text
    .replace(/\r\n/g, '\n')
    .replace(/^.*\r(?!$)/gm, '')
    .replace(/\r/g, '');
  return Anser.ansiToJson(settled, { use_classes: true, remove_empty: true, json: true }).map((part) => {
    const classes = part.decorations.filter((name) => STYLES.has(name)) as string[];
    const named = /^ansi-(?:bright-)?(\w+)$/.exec(part.fg ?? '')?.[1];
    if (named !== undefined && named !== 'truecolor') classes.push(`fg-${named}`);
    const exact = part.fg === 'ansi-truecolor' && part.fg_truecolor ? `rgb(${part.fg_truecolor})` : null;
    return { text: withoutControls(part.content), classes, color: exact };
  });
}

/** Other escapes (links, titles, cursor moves), and control characters but tab and newline. */
const CONTROLS = new RegExp(
  [
    '\\u001b\\][^\\u0007\\u001b]*(?:\\u0007|\\u001b\\\\)?',
    '\\u001b\\[[0-?]*[ -/]*[@-~]',
    '\\u001b[@-Z\\\\^_]?',
    '[\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f]',
  ].join('|'),
  'g',
);

/** What is left of other escapes and control characters is not for eyes. */
function withoutControls(text: string): string {
  return text.replace(CONTROLS, '');
}

// Which word of a piece of code is of which sort? Told off the main thread, with grammars that load when they are needed.
//
// The theme names sorts, not colours: the page gives them their colours, so that light and dark need no second run.

import { createCssVariablesTheme, createHighlighterCore, type HighlighterCore } from 'shiki/core';
import { createJavaScriptRegexEngine } from 'shiki/engine/javascript';
import { grammars, nameOf } from './grammars';

/** A line is a list of runs: the words and their sort (`keyword`, `string`, …), or no sort. */
export type Line = [text: string, sort: string | null][];
export interface Question {
  id: number;
  code: string;
  language: string;
}
export interface Answer {
  id: number;
  lines: Line[] | null;
}

const theme = createCssVariablesTheme({ name: 'sorts', variablePrefix: '--sort-' });
let highlighter: Promise<HighlighterCore> | null = null;

async function linesOf(code: string, language: string): Promise<Line[] | null> {
  const name = nameOf(language);
  if (name === null) return null;
  highlighter ??= createHighlighterCore({
    themes: [theme],
    langs: [],
    engine: createJavaScriptRegexEngine({ forgiving: true }),
  });
  const shiki = await highlighter;
  if (!shiki.getLoadedLanguages().includes(name)) await shiki.loadLanguage(await grammars[name]!());
  const { tokens } = shiki.codeToTokens(code, { lang: name, theme: 'sorts' });
  return tokens.map((line) => line.map((token) => [token.content, sortOf(token.color)]));
}

/** `var(--sort-token-keyword)` → `keyword`. */
function sortOf(color: string | undefined): string | null {
  return /--sort-token-([a-z-]+)/.exec(color ?? '')?.[1] ?? null;
}

self.onmessage = async ({ data }: MessageEvent<Question>) => {
  let lines: Line[] | null = null;
  try {
    lines = await linesOf(data.code, data.language);
  } catch {
    // Code that a grammar stumbles over is shown plain.
  }
  self.postMessage({ id: data.id, lines } satisfies Answer);
};

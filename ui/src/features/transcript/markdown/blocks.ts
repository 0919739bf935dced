// Which blocks does a markdown text have, when more of it keeps coming? Finished blocks are parsed once and keep their
// place; only what follows them is read again.

import { Lexer, type Token } from 'marked';

/** A block: code is drawn by itself, everything else becomes HTML. */
export type Block =
  { type: 'code'; text: string; language: string; closed: boolean } | { type: 'prose'; tokens: Token[]; raw: string };

/** Reads one growing text. */
export class BlockReader {
  #finished: Block[] = [];
  #done = 0;
  #start = '';

  /** The blocks of `text`. Blocks before the last are the same objects as in the call before, when the text only grew. */
  read(text: string): Block[] {
    if (text.length < this.#done || !text.startsWith(this.#start)) this.#reset();
    const tokens = new Lexer({ gfm: true, breaks: false }).lex(text.slice(this.#done));
    const open = openFrom(tokens);
    for (const token of tokens.slice(0, open)) {
      this.#done += token.raw.length;
      const block = blockOf(token);
      if (block) this.#finished.push(block);
    }
    this.#start = text.slice(0, Math.min(this.#done, 64));
    return [...this.#finished, ...tokens.slice(open).flatMap((token) => blockOf(token) ?? [])];
  }

  #reset(): void {
    this.#finished = [];
    this.#done = 0;
  }
}

/** The first token that further text may still change: the last block, with the blank lines after it. */
function openFrom(tokens: Token[]): number {
  let last = tokens.length - 1;
  while (last > 0 && tokens[last]?.type === 'space') last -= 1;
  return Math.max(0, last);
}

function blockOf(token: Token): Block | null {
  if (token.type === 'space' || token.type === 'def') return null;
  if (token.type === 'code') {
    const language = (token.lang ?? '').split(/[\s,{]/)[0]?.toLowerCase() ?? '';
    return { type: 'code', text: token.text, language, closed: isClosed(token.raw) };
  }
  return { type: 'prose', tokens: [token], raw: token.raw };
}

/** Whether a fence has its end; indented code always has. */
function isClosed(raw: string): boolean {
  const fence = /^ {0,3}(`{3,}|~{3,})/.exec(raw)?.[1];
  if (fence === undefined) return true;
  const lines = raw.trimEnd().split('\n');
  return lines.length > 1 && (lines.at(-1) ?? '').trim().startsWith(fence);
}

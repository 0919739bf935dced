// Which blocks does a markdown text have, when more of it keeps coming? Finished blocks are parsed once and keep their
// place; only what follows them is read again.

import { Lexer, Tokenizer, type Token, type Tokens } from 'marked';
import { safeHtml } from './safe_html';

/** A paragraph that is open and longer than this is shown as it came until it ends: each reading of it takes longer. In characters. */
export const LONGEST_OPEN = 8_000;

/** A block: code is drawn by itself, a long paragraph that still grows as plain words, everything else becomes HTML. */
export type Block =
  | { type: 'code'; text: string; language: string; closed: boolean }
  | { type: 'prose'; html: () => string; raw: string }
  | { type: 'plain'; raw: string };

/** Words over a line of `=` or `-` are a heading. Marked looks for one in every paragraph and takes long over a long one. */
const UNDERLINE = /\n {0,3}(?:=+|-+)[ \t]*(?:\n|$)/;
const BLANK_LINE = /\n[ \t]*\n/;

/** How an address begins. Marked's own expression takes many times as long to find that there is none. */
const ADDRESS = /^(?:https?:|ftp:|www\.|mailto:|xmpp:|[a-z0-9._+-]+@[a-z0-9_-]+\.)/i;
/** A word before an `@`. Where it begins no address, none begins inside of it, which Marked tries at each of its letters. */
const BEFORE_AT = /^[a-z0-9]+(?=@)/i;

class QuickTokenizer extends Tokenizer {
  override lheading(source: string): Tokens.Heading | undefined {
    const end = source.search(BLANK_LINE);
    const paragraph = end < 0 ? source : source.slice(0, end + 1);
    return UNDERLINE.test(paragraph) ? super.lheading(source) : undefined;
  }

  override url(source: string): Tokens.Link | undefined {
    return ADDRESS.test(source) ? super.url(source) : undefined;
  }

  override inlineText(source: string): Tokens.Text | undefined {
    const word = BEFORE_AT.exec(source)?.[0];
    if (word === undefined) return super.inlineText(source);
    return { type: 'text', raw: word, text: word, escaped: this.lexer.state.inRawBlock };
  }
}

/** Reads one growing text. */
export class BlockReader {
  #finished: Block[] = [];
  #done = 0;
  #start = '';
  /** Up to where an open paragraph that is too long to be read again is known to have no end; 0 without one. */
  #endless = 0;

  /**
   * The blocks of `text`. Blocks before the last are the same objects as in the call before, when the text only grew. `open` is a
   * text that is to grow.
   */
  read(text: string, open = false): Block[] {
    if (text.length < this.#done || !text.startsWith(this.#start)) this.#reset();
    if (open && this.#staysEndless(text)) return [...this.#finished, { type: 'plain', raw: text.slice(this.#done) }];
    this.#endless = 0;
    const tokens = new Lexer({ gfm: true, breaks: false, tokenizer: new QuickTokenizer() }).lex(text.slice(this.#done));
    const last = openFrom(tokens);
    for (const token of tokens.slice(0, last)) {
      this.#done += token.raw.length;
      const block = blockOf(token);
      if (block) this.#finished.push(block);
    }
    this.#start = text.slice(0, Math.min(this.#done, 64));
    const token = tokens[last];
    if (open && token?.type === 'paragraph' && token.raw.length > LONGEST_OPEN && tokens.length === last + 1) {
      this.#endless = text.length;
      return [...this.#finished, { type: 'plain', raw: text.slice(this.#done) }];
    }
    return [...this.#finished, ...tokens.slice(last).flatMap((token) => blockOf(token) ?? [])];
  }

  #reset(): void {
    this.#finished = [];
    this.#done = 0;
    this.#endless = 0;
  }

  /** Whether the long paragraph goes on: nothing that has come since ends it. */
  #staysEndless(text: string): boolean {
    if (this.#endless === 0 || text.length < this.#endless) return false;
    // The line that may end it can have begun before.
    if (BLANK_LINE.test(text.slice(Math.max(this.#done, this.#endless - 200)))) return false;
    this.#endless = text.length;
    return true;
  }
}

/** Finished texts that are shown again are not read again. In characters of all of them together. */
const KEPT = 400_000;
const kept = new Map<string, Block[]>();
let keptLength = 0;

/** The blocks of a text that grows no more. */
export function blocksOf(text: string): Block[] {
  const known = kept.get(text);
  if (known) {
    // The one used last goes last.
    kept.delete(text);
    kept.set(text, known);
    return known;
  }
  return keep(text, new BlockReader().read(text));
}

/** Keeps what a reader has read of a text that has just been finished. */
export function keep(text: string, blocks: Block[]): Block[] {
  if (kept.has(text) || text.length > KEPT / 4) return blocks;
  kept.set(text, blocks);
  keptLength += text.length;
  for (const oldest of kept.keys()) {
    if (keptLength <= KEPT) break;
    kept.delete(oldest);
    keptLength -= oldest.length;
  }
  return blocks;
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
  return { type: 'prose', html: once(token), raw: token.raw };
}

/** Makes the HTML when it is first shown, and lets go of what it was made of. */
function once(token: Token): () => string {
  let made: { token: Token } | { html: string } = { token };
  return () => {
    if ('token' in made) made = { html: safeHtml([made.token]) };
    return made.html;
  };
}

/** Whether a fence has its end; indented code always has. */
function isClosed(raw: string): boolean {
  const fence = /^ {0,3}(`{3,}|~{3,})/.exec(raw)?.[1];
  if (fence === undefined) return true;
  const lines = raw.trimEnd().split('\n');
  return lines.length > 1 && (lines.at(-1) ?? '').trim().startsWith(fence);
}

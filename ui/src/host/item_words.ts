// Which words of an item can be found, and where do they stand in a page of items? For the replay; the shell searches by itself,
// by the same rules (`src-tauri/src/item_words.rs`).

import type { Item } from '../protocol/Item';
import type { ItemPage } from '../protocol/ItemPage';
import type { Mark } from '../protocol/Mark';
import type { JsonValue } from '../protocol/serde_json/JsonValue';

/** Everything that a reader sees of an item, folded or not. */
export function wordsOf(item: Item): string[] {
  const { body } = item;
  switch (body.type) {
    case 'userMessage':
    case 'agentMessage':
    case 'thought':
    case 'notice':
      return [body.text];
    case 'toolCall':
      return [body.title, ...stringsOf(body.input), ...body.content.flatMap(contentWords)];
    case 'plan':
      return body.entries.map((entry) => entry.content);
    case 'permission':
      return [body.title, body.toolName, ...stringsOf(body.input), ...(answerWord(body.state) ?? [])];
    case 'error':
      return [body.message, ...body.stderrTail];
    case 'unknown':
      return [body.label, ...stringsOf(body.raw)];
    case 'pod':
      return [body.name, body.task];
    case 'opened':
    case 'turnEnd':
    case 'ended':
      return [];
  }
}

type ToolContent = Extract<Item['body'], { type: 'toolCall' }>['content'][number];

function contentWords(piece: ToolContent): string[] {
  switch (piece.type) {
    case 'text':
      return [piece.text];
    case 'diff':
      return [piece.path, piece.oldText ?? '', piece.newText ?? '', piece.patch ?? ''];
    case 'json':
      return stringsOf(piece.value);
    case 'image':
      return [];
  }
}

function answerWord(state: Extract<Item['body'], { type: 'permission' }>['state']): string[] | null {
  return state.type === 'answered' && state.message !== null ? [state.message] : null;
}

function stringsOf(value: JsonValue): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap((part) => (part === undefined ? [] : stringsOf(part)));
}

/** The places of a page whose items hold the words; letters count the same in both cases. */
export function placesIn(page: ItemPage, words: string): number[] {
  const wanted = words.toLowerCase();
  return page.items.flatMap((item, offset) =>
    wordsOf(item).some((text) => text.toLowerCase().includes(wanted)) ? [page.before + offset] : [],
  );
}

/** The marks of a page: prompts that began turns, errors, and requests. */
export function marksIn(page: ItemPage): Mark[] {
  return page.items.flatMap((item, offset) => {
    const mark = markOf(item);
    return mark === null ? [] : [{ place: page.before + offset, ...mark }];
  });
}

/** Characters of a title. */
const TITLE = 80;

function markOf(item: Item): Omit<Mark, 'place'> | null {
  const { body } = item;
  switch (body.type) {
    case 'userMessage':
      return body.delivery === 'prompt' || body.delivery === 'queued'
        ? { kind: 'turn', title: body.text.slice(0, TITLE) }
        : null;
    case 'error':
      return { kind: 'error', title: body.message.slice(0, TITLE) };
    case 'permission':
      return {
        kind: body.state.type === 'pending' ? 'pending' : 'request',
        title: (body.title || body.toolName).slice(0, TITLE),
      };
    case 'agentMessage':
    case 'thought':
    case 'toolCall':
    case 'plan':
    case 'pod':
    case 'opened':
    case 'turnEnd':
    case 'notice':
    case 'ended':
    case 'unknown':
      return null;
  }
}

// Who has asked for which code to be highlighted? One worker for the page, and its answers kept by content.

import type { Answer, Line, Question } from './highlight.worker';
import { nameOf } from './grammars';

/** Longer code is shown plain: nobody reads its colours, and a grammar takes long over it. In characters. */
const LONGEST = 60_000;
/** Answers that are kept. */
const KEPT = 300;

const answers = new Map<string, Promise<Line[] | null>>();
const waiting = new Map<number, (lines: Line[] | null) => void>();
let worker: Worker | null = null;
let questions = 0;

/** The coloured lines of a piece of code, or null when it stays plain. */
export function highlighted(code: string, language: string): Promise<Line[] | null> {
  if (code.length > LONGEST || nameOf(language) === null || typeof Worker === 'undefined') return Promise.resolve(null);
  const key = `${language}\n${code}`;
  let answer = answers.get(key);
  if (!answer) {
    answer = ask(code, language);
    answers.set(key, answer);
    const oldest = answers.keys().next().value;
    if (answers.size > KEPT && oldest !== undefined) answers.delete(oldest);
  }
  return answer;
}

function ask(code: string, language: string): Promise<Line[] | null> {
  worker ??= begin();
  const id = ++questions;
  return new Promise((resolve) => {
    waiting.set(id, resolve);
    worker?.postMessage({ id, code, language } satisfies Question);
  });
}

function begin(): Worker {
  const begun = new Worker(new URL('./highlight.worker.ts', import.meta.url), { type: 'module' });
  begun.onmessage = ({ data }: MessageEvent<Answer>) => {
    waiting.get(data.id)?.(data.lines);
    waiting.delete(data.id);
  };
  // A worker that cannot start leaves code plain.
  begun.onerror = () => {
    for (const resolve of waiting.values()) resolve(null);
    waiting.clear();
  };
  return begun;
}

// What does a search for a pattern find? The search runs in a thread of its own, because a regular expression of the model can
// take for ever on one line: it is ended after a time, and when the turn is interrupted.
//
// Which files are searched is occurrences.mjs's business.

import { stat } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import { FILES_LIMIT, MATCHES_LIMIT } from './occurrences.mjs';
import { ToolFailure } from './tool_failure.mjs';

/** How long a search may take, in milliseconds. */
const TIME_MS = 30_000;

/**
 * @param {import('./scope.mjs').Scope} scope
 * @param {{ pattern: string, path?: string, glob?: string, ignore_case?: boolean }} input
 * @param {AbortSignal} signal
 * @param {number} [timeMs] how long it may take, in milliseconds
 * @returns {Promise<string>}
 * @throws {ToolFailure} when there is nothing to search, or it took too long
 */
export async function searchFiles(
  scope,
  { pattern, path: wanted = '.', glob, ignore_case: ignoreCase = false },
  signal,
  timeMs = TIME_MS,
) {
  assertPattern(pattern);
  const start = await scope.resolve(wanted);
  await stat(start).catch(() => {
    throw new ToolFailure(`${wanted} does not exist`);
  });
  const found = new Found(scope);
  const search = { pattern, ignoreCase: Boolean(ignoreCase), glob: glob ? String(glob) : undefined, start };
  const inTime = await searched(search, found, signal, timeMs);
  signal.throwIfAborted();
  if (inTime) return found.text;
  throw new ToolFailure(
    `the search was ended after ${timeMs / 1000} s${found.at}. The pattern takes too long there (repetitions within ` +
      `repetitions, like (a+)+, do), or there is too much to search: write it more simply, or narrow it with path or glob.` +
      (found.isEmpty ? '' : ` Found until then:\n${found.text}`),
  );
}

/**
 * @param {import('./occurrences.mjs').Search} search
 * @param {Found} found
 * @param {AbortSignal} signal
 * @param {number} timeMs
 * @returns {Promise<boolean>} whether it came to its end
 */
function searched(search, found, signal, timeMs) {
  if (signal.aborted) return Promise.resolve(false);
  return new Promise((resolve, reject) => {
    const thread = new Worker(new URL('./search_thread.mjs', import.meta.url), { workerData: search });
    const over = (/** @type {boolean} */ inTime) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      // It ends in the middle of a regular expression too; nobody needs to wait for it.
      void thread.terminate();
      resolve(inTime);
    };
    const timer = setTimeout(() => over(false), timeMs);
    const onAbort = () => over(false);
    signal.addEventListener('abort', onAbort, { once: true });
    thread.on('message', (finding) => (finding.type === 'end' ? over(true) : found.add(finding)));
    thread.once('error', (error) => {
      reject(error);
      over(false);
    });
  });
}

/** @param {string} pattern */
function assertPattern(pattern) {
  if (typeof pattern !== 'string' || pattern === '') throw new ToolFailure('pattern must be a regular expression');
  try {
    new RegExp(pattern);
  } catch (error) {
    throw new ToolFailure(`pattern is no regular expression: ${/** @type {Error} */ (error).message}`);
  }
}

/** What was found so far. */
class Found {
  #scope;
  /** @type {string[]} */ #lines = [];
  #files = 0;
  /** The file that is being searched. */
  #file = '';

  /** @param {import('./scope.mjs').Scope} scope */
  constructor(scope) {
    this.#scope = scope;
  }

  /** @param {import('./occurrences.mjs').Finding} finding */
  add(finding) {
    switch (finding.type) {
      case 'file':
        this.#files += 1;
        this.#file = finding.file;
        return;
      case 'match':
        this.#lines.push(`${this.#scope.shown(finding.file)}:${finding.number}: ${finding.line}`);
    }
  }

  get isEmpty() {
    return this.#lines.length === 0;
  }

  /** Where it is. */
  get at() {
    return this.#file === '' ? '' : ` in ${this.#scope.shown(this.#file)}`;
  }

  get text() {
    if (this.#lines.length >= MATCHES_LIMIT) return `${this.#lines.join('\n')}\n(there may be more; narrow the search)`;
    const limit = this.#files >= FILES_LIMIT ? `\n(only the first ${FILES_LIMIT} files were searched)` : '';
    return (this.isEmpty ? `(nothing found in ${this.#files} files)` : this.#lines.join('\n')) + limit;
  }
}

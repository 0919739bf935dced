// Where does a pattern occur in the files below a folder? Like a small ripgrep: hidden folders, dependencies and builds are
// left out, binary and huge files too, and it ends when enough was found or too much was read.
//
// A pattern can take for ever on one line, so this runs in a thread of its own, which search.mjs can end.

import { open, readdir } from 'node:fs/promises';
import path from 'node:path';

/** Folders that hold what others made. */
const SKIPPED = new Set(['node_modules', 'target', 'dist', 'build', 'vendor', '__pycache__', 'venv']);
/** A bigger file is not searched, in bytes. */
const FILE_LIMIT = 2 * 1024 * 1024;
export const FILES_LIMIT = 20_000;
export const MATCHES_LIMIT = 200;
/** Characters of a matching line that are shown. */
const LINE_CHARS = 300;
/** A longer line is not searched: it is data, not text. */
const LINE_LIMIT = 20_000;

/**
 * What is searched for, and where.
 * @typedef {object} Search
 * @property {string} pattern a regular expression that was tried before
 * @property {boolean} ignoreCase
 * @property {string} [glob]
 * @property {string} start a folder or a file
 */
/** @typedef {{ type: 'file', file: string } | { type: 'match', file: string, number: number, line: string }} Finding */

/**
 * Tells each file before it is searched, and each line that fits.
 * @param {Search} search
 * @returns {AsyncGenerator<Finding, void, void>} ends when all was searched, or one of the limits is reached
 */
export async function* occurrences({ pattern, ignoreCase, glob, start }) {
  const expression = new RegExp(pattern, ignoreCase ? 'i' : '');
  const fits = globMatcher(glob);
  let files = 0;
  let matches = 0;
  for await (const file of filesBelow(start)) {
    if (!fits(path.relative(start, file) || path.basename(file))) continue;
    if (++files > FILES_LIMIT) return;
    yield { type: 'file', file };
    for (const [number, line] of await linesOf(file)) {
      if (line.length > LINE_LIMIT || !expression.test(line)) continue;
      yield { type: 'match', file, number, line: line.trim().slice(0, LINE_CHARS) };
      if (++matches >= MATCHES_LIMIT) return;
    }
  }
}

/**
 * `*` is anything but a slash, `**` anything, `?` one character; without a slash it is about the file's name.
 * @param {string | undefined} glob
 * @returns {(relative: string) => boolean}
 */
export function globMatcher(glob) {
  if (!glob) return () => true;
  const source = glob
    .split(/(\*\*\/|\*\*|\*|\?)/)
    .map((part) => {
      if (part === '**/') return '(?:.*/)?';
      if (part === '**') return '.*';
      if (part === '*') return '[^/]*';
      if (part === '?') return '[^/]';
      return part.replace(/[.+^${}()|[\]\\]/g, '\\$&');
    })
    .join('');
  const expression = new RegExp(`^${source}$`);
  return (relative) => expression.test(glob.includes('/') ? relative.replaceAll('\\', '/') : path.basename(relative));
}

/**
 * Does not follow links, so it stays below where it began.
 * @param {string} start
 * @returns {AsyncGenerator<string, void, void>}
 */
async function* filesBelow(start) {
  const entries = await readdir(start, { withFileTypes: true }).catch((error) => {
    if (error.code === 'ENOTDIR') return null;
    return [];
  });
  if (entries === null) return yield start;
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    const at = path.join(start, entry.name);
    if (entry.isFile()) yield at;
    else if (entry.isDirectory() && !entry.name.startsWith('.') && !SKIPPED.has(entry.name)) yield* filesBelow(at);
  }
}

/**
 * @param {string} file
 * @returns {Promise<[number, string][]>} nothing for a file that is no text, too big or not to be read
 */
async function linesOf(file) {
  const handle = await open(file, 'r').catch(() => null);
  if (!handle) return [];
  try {
    if ((await handle.stat()).size > FILE_LIMIT) return [];
    const bytes = await handle.readFile();
    if (bytes.subarray(0, 8192).includes(0)) return [];
    return bytes
      .toString('utf8')
      .split('\n')
      .map((line, at) => [at + 1, line]);
  } finally {
    await handle.close();
  }
}

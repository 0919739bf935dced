// Where does a pattern occur in the files of the scope? Like a small ripgrep: hidden folders, dependencies and builds are
// left out, binary and huge files too, and it ends when enough was found or too much was read.

import { open, readdir } from 'node:fs/promises';
import path from 'node:path';
import { ToolFailure } from './tool_failure.mjs';

/** Folders that hold what others made. */
const SKIPPED = new Set(['node_modules', 'target', 'dist', 'build', 'vendor', '__pycache__', 'venv']);
/** A bigger file is not searched, in bytes. */
const FILE_LIMIT = 2 * 1024 * 1024;
const FILES_LIMIT = 20_000;
const MATCHES_LIMIT = 200;
/** Characters of a matching line that are shown. */
const LINE_CHARS = 300;
/** A longer line is not searched: a pattern can take for ever on one, and nobody can stop it. */
const LINE_LIMIT = 20_000;

/**
 * @param {import('./scope.mjs').Scope} scope
 * @param {{ pattern: string, path?: string, glob?: string, ignore_case?: boolean }} input
 * @param {AbortSignal} signal
 * @returns {Promise<string>}
 */
export async function searchFiles(scope, { pattern, path: wanted = '.', glob, ignore_case: ignoreCase }, signal) {
  const expression = compiled(pattern, ignoreCase);
  const fits = globMatcher(glob);
  const start = await scope.resolve(wanted);
  /** @type {string[]} */
  const matches = [];
  let files = 0;
  for await (const file of filesBelow(start)) {
    signal.throwIfAborted();
    if (!fits(path.relative(start, file) || path.basename(file))) continue;
    if (++files > FILES_LIMIT) break;
    for (const [number, line] of await linesOf(file)) {
      if (line.length > LINE_LIMIT || !expression.test(line)) continue;
      matches.push(`${scope.shown(file)}:${number}: ${line.trim().slice(0, LINE_CHARS)}`);
      if (matches.length >= MATCHES_LIMIT) return `${matches.join('\n')}\n(there may be more; narrow the search)`;
    }
  }
  const limit = files > FILES_LIMIT ? `\n(only the first ${FILES_LIMIT} files were searched)` : '';
  return matches.length === 0
    ? `(nothing found in ${Math.min(files, FILES_LIMIT)} files)${limit}`
    : matches.join('\n') + limit;
}

/**
 * @param {string} pattern
 * @param {boolean | undefined} ignoreCase
 */
function compiled(pattern, ignoreCase) {
  if (typeof pattern !== 'string' || pattern === '') throw new ToolFailure('pattern must be a regular expression');
  try {
    return new RegExp(pattern, ignoreCase ? 'i' : '');
  } catch (error) {
    throw new ToolFailure(`pattern is no regular expression: ${/** @type {Error} */ (error).message}`);
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
    if (error.code === 'ENOENT') throw new ToolFailure(`${start} does not exist`);
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

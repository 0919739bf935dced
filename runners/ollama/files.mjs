// How does the model read, list, write and change files? Inside the scope only, and never more than it can take in.
//
// Whether it may is decided before; a path is resolved here once more, right before the file is touched.

import { constants } from 'node:fs';
import { mkdir, open, readFile, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { ToolFailure } from './tool_failure.mjs';

/** The most of a file that one call reads, in bytes, and the most lines of it. */
const READ_LIMIT = 256 * 1024;
const LINES_LIMIT = 2000;
/** The most entries of a folder that are listed. */
const ENTRIES_LIMIT = 500;
/** A file that is bigger is not changed, nor shown as it was before, in bytes. */
const EDIT_LIMIT = 4 * 1024 * 1024;

/** @typedef {import('./scope.mjs').Scope} Scope */
/** @typedef {{ path: string, oldText?: string, newText?: string }} Change */

/**
 * @param {Scope} scope
 * @param {{ path: string, offset?: number, limit?: number }} input lines are counted from 1
 * @returns {Promise<string>}
 */
export async function readFileText(scope, { path: wanted, offset, limit }) {
  const file = await scope.resolve(wanted);
  const text = await beginning(file, wanted);
  const lines = text.text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  const from = Math.max(1, Math.trunc(Number(offset) || 1));
  const count = Math.min(LINES_LIMIT, Math.max(1, Math.trunc(Number(limit) || LINES_LIMIT)));
  const shown = lines.slice(from - 1, from - 1 + count);
  if (shown.length === 0) return lines.length === 0 ? '(the file is empty)' : `(the file has ${lines.length} lines)`;
  const last = from - 1 + shown.length;
  const more = last < lines.length || text.cut ? `\n(lines ${from} to ${last}; there are more, ask with offset)` : '';
  return `${shown.join('\n')}${more}`;
}

/**
 * @param {string} file
 * @param {string} shown
 */
async function beginning(file, shown) {
  // A pipe without a writer would keep us waiting for ever.
  const handle = await open(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)).catch((error) =>
    fail('read', shown, error),
  );
  try {
    if (!(await handle.stat()).isFile())
      throw new ToolFailure(`${shown} is no file; list_directory shows what is in it`);
    const buffer = Buffer.alloc(READ_LIMIT);
    const { bytesRead } = await handle.read(buffer, 0, READ_LIMIT, 0);
    const bytes = buffer.subarray(0, bytesRead);
    if (bytes.includes(0)) throw new ToolFailure(`${shown} is a binary file`);
    return { text: bytes.toString('utf8'), cut: bytesRead === READ_LIMIT };
  } finally {
    await handle.close();
  }
}

/**
 * @param {Scope} scope
 * @param {{ path?: string }} input
 * @returns {Promise<string>}
 */
export async function listDirectory(scope, { path: wanted = '.' }) {
  const folder = await scope.resolve(wanted);
  const entries = await readdir(folder, { withFileTypes: true }).catch((error) => fail('list', wanted, error));
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  const lines = await Promise.all(
    entries.slice(0, ENTRIES_LIMIT).map(async (entry) => {
      if (entry.isDirectory()) return `${entry.name}/`;
      if (entry.isSymbolicLink()) return `${entry.name} (link)`;
      const size = await stat(path.join(folder, entry.name)).catch(() => null);
      return size ? `${entry.name} (${size.size} bytes)` : entry.name;
    }),
  );
  if (entries.length > ENTRIES_LIMIT) lines.push(`(${entries.length - ENTRIES_LIMIT} more)`);
  return lines.length === 0 ? '(the folder is empty)' : lines.join('\n');
}

/**
 * What a change would do, found before it is asked about.
 * @param {Scope} scope
 * @param {string} tool
 * @param {Record<string, any>} input
 * @returns {Promise<Change>}
 */
export async function plannedChange(scope, tool, input) {
  const file = await scope.resolve(input.path);
  const old = await textBefore(file, input.path);
  if (tool === 'write_file') return { path: file, oldText: old, newText: String(input.content ?? '') };
  if (old === undefined) throw new ToolFailure(`${input.path} does not exist; write_file makes new files`);
  return { path: file, oldText: old, newText: edited(old, input) };
}

/**
 * @param {Scope} scope
 * @param {Record<string, any>} input
 * @param {string} tool
 * @returns {Promise<string>}
 */
export async function applyChange(scope, tool, input) {
  const { path: file, oldText, newText = '' } = await plannedChange(scope, tool, input);
  await mkdir(path.dirname(file), { recursive: true }).catch((error) => fail('write', input.path, error));
  // What was resolved is no link; a link that was put there since is not followed.
  const { O_WRONLY, O_CREAT, O_TRUNC, O_NOFOLLOW } = constants;
  const flags = O_WRONLY | O_CREAT | O_TRUNC | (O_NOFOLLOW ?? 0);
  const handle = await open(file, flags, 0o666).catch((error) => fail('write', input.path, error));
  try {
    await handle.writeFile(newText);
  } catch (error) {
    fail('write', input.path, error);
  } finally {
    await handle.close();
  }
  const lines = newText.split('\n').length - (newText.endsWith('\n') ? 1 : 0);
  return `${oldText === undefined ? 'Made' : 'Changed'} ${scope.shown(file)}, ${lines} lines.`;
}

/**
 * @param {string} file
 * @param {string} shown
 * @returns {Promise<string | undefined>} undefined when there is no file
 */
async function textBefore(file, shown) {
  const about = await stat(file).catch((error) => (error.code === 'ENOENT' ? null : fail('read', shown, error)));
  if (!about) return undefined;
  if (!about.isFile()) throw new ToolFailure(`${shown} is no file`);
  if (about.size > EDIT_LIMIT) throw new ToolFailure(`${shown} is too big to be changed (${about.size} bytes)`);
  return readFile(file, 'utf8').catch((error) => fail('read', shown, error));
}

/**
 * @param {string} old
 * @param {Record<string, any>} input
 */
function edited(old, { path: shown, old_text: before, new_text: after, replace_all: all }) {
  if (typeof before !== 'string' || before === '') throw new ToolFailure('old_text must be the text to replace');
  const parts = old.split(before);
  if (parts.length === 1) throw new ToolFailure(`old_text was not found in ${shown}; read the file again`);
  if (parts.length > 2 && !all) {
    throw new ToolFailure(`old_text is ${parts.length - 1} times in ${shown}; give more of it, or set replace_all`);
  }
  return parts.join(String(after ?? ''));
}

/**
 * @param {string} verb
 * @param {string} shown
 * @param {any} error
 * @returns {never}
 */
function fail(verb, shown, error) {
  throw new ToolFailure(`cannot ${verb} ${shown}: ${error?.code ?? error?.message ?? error}`);
}

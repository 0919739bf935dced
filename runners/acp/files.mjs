// How are an agent's requests to read and write files answered? Only inside the scope, and only text.

import { constants } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import path from 'node:path';

/** The largest file that is read for an agent, in bytes. */
const READ_LIMIT = 16 * 1024 * 1024;

/** Not followed where the last part of a path became a link after it was looked at. Windows has no such flag. */
const NO_FOLLOW = constants.O_NOFOLLOW ?? 0;

/**
 * @param {import('./scope.mjs').Scope} scope
 * @param {{ path?: unknown, line?: number | null, limit?: number | null }} params `line` counts from 1
 * @returns {Promise<{ content: string }>}
 */
export async function readTextFile(scope, { path: wanted, line, limit }) {
  const file = await open(await scope.resolve(wanted), constants.O_RDONLY | NO_FOLLOW);
  try {
    const { size } = await file.stat();
    if (size > READ_LIMIT) throw new Error(`${wanted} has ${size} bytes; at most ${READ_LIMIT} are read for an agent`);
    const bytes = await file.readFile();
    return { content: part(decoded(bytes, String(wanted)), line, limit) };
  } finally {
    await file.close();
  }
}

/**
 * @param {import('./scope.mjs').Scope} scope
 * @param {{ path?: unknown, content?: unknown }} params
 * @returns {Promise<{}>}
 */
export async function writeTextFile(scope, { path: wanted, content }) {
  if (typeof content !== 'string') throw new Error('there is no content to write');
  const real = await scope.resolve(wanted);
  await mkdir(path.dirname(real), { recursive: true });
  const file = await open(real, constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | NO_FOLLOW, 0o666);
  try {
    await file.writeFile(content);
  } finally {
    await file.close();
  }
  return {};
}

/**
 * @param {Buffer} bytes
 * @param {string} name
 */
function decoded(bytes, name) {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    // Read with replacements and written back, it would be damaged.
    throw new Error(`${name} is no UTF-8 text`);
  }
}

/**
 * @param {string} content
 * @param {number | null} [line]
 * @param {number | null} [limit]
 */
function part(content, line, limit) {
  if (line == null && limit == null) return content;
  const lines = content.split(/(?<=\n)/);
  const start = Math.max(0, (line ?? 1) - 1);
  return lines.slice(start, limit == null ? undefined : start + limit).join('');
}

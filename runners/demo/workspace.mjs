// What is in the workspace, as far as the demo agent looks at it? Reads only.

import { open, readdir, stat } from 'node:fs/promises';
import path from 'node:path';

/** Folders that say nothing about a project. */
const SKIPPED = new Set(['.git', 'node_modules', 'target', 'dist', '.venv', '__pycache__']);
/** The demo agent looks at so many entries, and so much of a file, at most. */
const ENTRY_LIMIT = 500;
const READ_LIMIT = 32 * 1024;

/** @typedef {{ path: string, bytes: number }} FileEntry path relative to the workspace */

/**
 * Lists the files of a workspace, two folders deep, in a stable order.
 * @param {string} root
 * @returns {Promise<FileEntry[]>}
 */
export async function listFiles(root) {
  /** @type {FileEntry[]} */
  const files = [];
  await collect(root, '', 2, files);
  return files;
}

/**
 * @param {string} root
 * @param {string} folder
 * @param {number} depth
 * @param {FileEntry[]} files
 */
async function collect(root, folder, depth, files) {
  const entries = await readdir(path.join(root, folder), { withFileTypes: true });
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    if (files.length >= ENTRY_LIMIT) return;
    const relative = path.join(folder, entry.name);
    if (entry.isFile()) files.push({ path: relative, bytes: (await stat(path.join(root, relative))).size });
    else if (entry.isDirectory() && depth > 1 && !SKIPPED.has(entry.name)) {
      // A folder that cannot be read is none of the demo's business.
      await collect(root, relative, depth - 1, files).catch(() => {});
    }
  }
}

/**
 * The files worth reading first: what explains the project, then the others.
 * @param {FileEntry[]} files
 * @param {number} count
 * @returns {FileEntry[]}
 */
export function worthReading(files, count) {
  const rank = (/** @type {FileEntry} */ file) =>
    /^readme/i.test(file.path) ? 0 : /\.(md|toml|json)$/i.test(file.path) ? 1 : 2;
  const readable = files.filter(
    (file) => file.bytes > 0 && file.bytes <= 1024 * 1024 && file.path !== 'OUTRIGGER-DEMO.md',
  );
  return readable.sort((a, b) => rank(a) - rank(b) || (a.path < b.path ? -1 : 1)).slice(0, count);
}

/**
 * @param {string} root
 * @param {string} relative
 * @returns {Promise<string>} the beginning of the file
 */
export async function readBeginning(root, relative) {
  const file = await open(path.join(root, relative));
  try {
    const buffer = Buffer.alloc(READ_LIMIT);
    const { bytesRead } = await file.read(buffer, 0, READ_LIMIT, 0);
    const bytes = buffer.subarray(0, bytesRead);
    return bytes.includes(0) ? `(binary, ${bytesRead} bytes looked at)` : bytes.toString('utf8');
  } finally {
    await file.close();
  }
}

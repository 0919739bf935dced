// Does a path lie inside the folders of the session? Symlinks are followed first, so that a link inside cannot lead outside.

import { lstat, realpath } from 'node:fs/promises';
import path from 'node:path';

/** A path that is not served. */
export class OutsideScope extends Error {}

/** The folders that the agent may reach through us. */
export class Scope {
  #roots;

  /** @param {string[]} roots absolute */
  constructor(roots) {
    this.#roots = roots;
  }

  /**
   * @param {unknown} wanted a path as the agent gave it
   * @returns {Promise<string>} the same place without links
   * @throws {OutsideScope}
   */
  async resolve(wanted) {
    if (typeof wanted !== 'string' || !path.isAbsolute(wanted))
      throw new OutsideScope(`${JSON.stringify(wanted)} is no absolute path`);
    const real = await realPath(path.resolve(wanted));
    for (const root of this.#roots) {
      if (isWithin(await realPath(path.resolve(root)), real)) return real;
    }
    const folders = this.#roots.join(', ');
    throw new OutsideScope(`${wanted} lies outside the folders of this session (${folders}); it was not touched`);
  }
}

/**
 * @param {string} root
 * @param {string} file
 */
function isWithin(root, file) {
  const way = path.relative(root, file);
  return way === '' || (!path.isAbsolute(way) && way !== '..' && !way.startsWith(`..${path.sep}`));
}

/**
 * The path without links, as far as it exists; a link that leads nowhere is refused, because writing would follow it.
 * @param {string} file absolute
 * @returns {Promise<string>}
 */
async function realPath(file) {
  try {
    return await realpath(file);
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ENOENT') throw error;
  }
  if (await isLink(file)) throw new OutsideScope(`${file} is a link that leads nowhere; it was not touched`);
  const parent = path.dirname(file);
  return parent === file ? file : path.join(await realPath(parent), path.basename(file));
}

/** @param {string} file */
async function isLink(file) {
  return lstat(file).then(
    (found) => found.isSymbolicLink(),
    () => false,
  );
}

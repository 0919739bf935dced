// May a tool touch this path? Inside the working directory and the additional ones it may, with links followed first.
//
// A shell command is not held by this: only a permission, and the operating system, stand in its way.

import { lstat, realpath } from 'node:fs/promises';
import path from 'node:path';

/** A path that a tool may not touch, with what to tell the model. */
export class OutOfScope extends Error {}

/** The folders in which tools may work. */
export class Scope {
  /** @type {Promise<string[]> | null} */ #real = null;
  #folders;

  /**
   * @param {string} cwd
   * @param {string[]} [additional]
   */
  constructor(cwd, additional = []) {
    this.cwd = cwd;
    this.#folders = [cwd, ...additional.map((folder) => path.resolve(cwd, folder))];
  }

  /**
   * Where a path of the model's really leads. A file need not exist, but the folder that would hold it is followed.
   * @param {string} wanted absolute, or relative to the working directory
   * @returns {Promise<string>}
   * @throws {OutOfScope}
   */
  async resolve(wanted) {
    if (typeof wanted !== 'string' || wanted.includes('\0')) throw new OutOfScope('a path must be a text without NUL');
    const absolute = path.resolve(this.cwd, wanted);
    const real = await reallyAt(absolute);
    const roots = await (this.#real ??= Promise.all(
      this.#folders.map((folder) => realpath(folder).catch(() => folder)),
    ));
    if (roots.some((root) => isInside(real, root))) return real;
    const led = real === absolute ? '' : ` (it leads to ${real})`;
    throw new OutOfScope(`${wanted}${led} is outside of the folders that you may work in: ${roots.join(', ')}`);
  }

  /**
   * A path as people read it.
   * @param {string} real
   */
  shown(real) {
    const relative = path.relative(this.cwd, real);
    return relative === '' ? '.' : relative.startsWith('..') || path.isAbsolute(relative) ? real : relative;
  }
}

/**
 * @param {string} target
 * @param {string} root
 */
function isInside(target, root) {
  const relative = path.relative(root, target);
  return relative === '' || (!relative.startsWith(`..${path.sep}`) && relative !== '..' && !path.isAbsolute(relative));
}

/**
 * Follows every link of a path; what does not exist yet is appended as it is.
 * @param {string} absolute
 * @returns {Promise<string>}
 */
async function reallyAt(absolute) {
  try {
    return await realpath(absolute);
  } catch (error) {
    const code = /** @type {NodeJS.ErrnoException} */ (error).code;
    if (code !== 'ENOENT') throw new OutOfScope(`${absolute} cannot be followed (${code})`);
  }
  // A link to nothing would be followed by the one who writes to it.
  if (await lstat(absolute).catch(() => null)) throw new OutOfScope(`${absolute} is a link that leads nowhere`);
  const parent = path.dirname(absolute);
  return parent === absolute ? absolute : path.join(await reallyAt(parent), path.basename(absolute));
}

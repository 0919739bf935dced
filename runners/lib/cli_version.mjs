// Which version of a CLI is this, and is it new enough?

import { execFile } from 'node:child_process';

/** How long a CLI may take to tell its version or its help, in milliseconds. */
const ANSWER_LIMIT_MS = 10_000;

/**
 * Runs the CLI with the given arguments and gives what it printed; empty when it failed.
 * @param {string} command
 * @param {string[]} args
 * @param {Record<string, string | undefined>} [env]
 * @returns {Promise<string>}
 */
export function askCli(command, args, env = process.env) {
  return new Promise((resolve) => {
    const options = {
      timeout: ANSWER_LIMIT_MS,
      maxBuffer: 4 * 1024 * 1024,
      env: /** @type {NodeJS.ProcessEnv} */ (env),
      windowsHide: true,
    };
    execFile(command, args, options, (_error, stdout, stderr) => resolve(`${stdout}${stderr}`)).stdin?.end();
  });
}

/**
 * The first version number in a text, as three numbers joined by dots.
 * @param {string} text
 * @returns {string | undefined}
 */
export function firstVersion(text) {
  return /\b(\d+\.\d+\.\d+)\b/.exec(text)?.[1];
}

/**
 * @param {string} version
 * @param {string} least
 * @returns {boolean} whether `version` is `least` or newer
 */
export function isAtLeast(version, least) {
  const [a, b] = [version, least].map((text) => text.split('.').map(Number));
  for (let i = 0; i < 3; i++) {
    if ((a[i] ?? 0) !== (b[i] ?? 0)) return (a[i] ?? 0) > (b[i] ?? 0);
  }
  return true;
}

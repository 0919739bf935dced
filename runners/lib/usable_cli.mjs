// Can this runner drive the CLI that it was given, and which version is it?

import { CannotStart } from './agent_session.mjs';
import { askCli, firstVersion, isAtLeast } from './cli_version.mjs';

/**
 * @typedef {object} CliNeeds
 * @property {string} name what people call the CLI
 * @property {string} leastVersion the oldest that this runner can drive
 * @property {string} update the command that updates it
 * @property {Record<string, string | undefined>} env in which it is asked for its version
 */

/**
 * @param {Record<string, any>} query with `cli`, and `cliVersion` where the host knows it
 * @param {CliNeeds} needs
 * @returns {Promise<string | undefined>} its version, where it tells one
 * @throws {CannotStart}
 */
export async function usableCli({ cli, cliVersion }, { name, leastVersion, update, env }) {
  if (!cli) {
    const message = `no ${name} CLI was found. Install it, or set its path in the settings.`;
    throw new CannotStart({ code: 'cli_missing', message });
  }
  const version = firstVersion(cliVersion ?? (await askCli(cli, ['--version'], env)));
  if (version && !isAtLeast(version, leastVersion)) {
    const message = `${cli} is ${name} ${version}; ${leastVersion} or newer is needed. Update it with \`${update}\`.`;
    throw new CannotStart({ code: 'cli_too_old', message });
  }
  return version;
}

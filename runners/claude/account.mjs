// Which account does claude say it uses, and what does it offer to choose from? Read from its answer to `initialize` and from
// its `init` lines. Never a token, and never whose account it is.

/** How much of a command's description is passed on, in characters: some are pages long, written for the model. */
const DESCRIPTION = 160;

/**
 * @param {object} told
 * @param {Record<string, any>} [told.account] of the answer to `initialize`
 * @param {string} [told.apiKeySource] of an `init` line
 * @returns {string | undefined} the kind of account in a few words; undefined when claude does not say
 */
export function authOf({ account = {}, apiKeySource }) {
  const provider = account.apiProvider;
  if (provider && provider !== 'firstParty') return `${provider} credentials`;
  if (account.subscriptionType) return `subscription (${account.subscriptionType})`;
  const key = present(account.apiKeySource) ?? present(apiKeySource);
  if (key) return `API key (${key})`;
  const token = present(account.tokenSource);
  if (token) return `token (${token})`;
  return apiKeySource === 'none' ? 'no API key' : undefined;
}

/** @param {string | undefined} source */
const present = (source) => (source && source !== 'none' ? source : undefined);

/**
 * @param {Record<string, any>} answer to `initialize`
 * @returns {import('../lib/agent_lines.mjs').AgentOffers}
 */
export function offersOf({ commands, models }) {
  return {
    commands: commands
      ?.filter((/** @type {any} */ command) => command.name && !command.name.startsWith('__'))
      .map((/** @type {any} */ { name, description, argumentHint }) => ({
        name,
        description: shortened(description),
        hint: argumentHint || undefined,
      })),
    models: models?.map((/** @type {any} */ { value, displayName, description, supportedEffortLevels }) => ({
      id: value,
      name: displayName ?? value,
      description,
      efforts: supportedEffortLevels,
    })),
  };
}

/** @param {string | undefined} description */
function shortened(description) {
  const line = (description ?? '').split('\n')[0];
  return line.length > DESCRIPTION ? `${line.slice(0, DESCRIPTION).trimEnd()}…` : line || undefined;
}

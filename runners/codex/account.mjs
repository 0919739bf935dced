// Which account does codex say it uses, and what does it offer to choose from? Never a token, and never whose account it is.

/**
 * @param {Record<string, any>} told the answer to `account/read`
 * @param {string | undefined} modelProvider the provider of the thread
 * @returns {string | undefined} the kind of account in a few words; undefined when codex does not say
 */
export function authOf({ account }, modelProvider) {
  switch (account?.type) {
    case undefined:
      return modelProvider && modelProvider !== 'openai' ? `provider ${modelProvider}` : undefined;
    case 'chatgpt':
      return account.planType ? `ChatGPT (${account.planType})` : 'ChatGPT';
    case 'apiKey':
      return 'API key';
    default:
      return String(account.type);
  }
}

/**
 * @param {Record<string, any>} told the answer to `model/list`
 * @returns {import('../lib/agent_lines.mjs').AgentOffers}
 */
export function offersOf({ data }) {
  const shown = (data ?? []).filter((/** @type {any} */ model) => !model.hidden);
  return {
    commands: [{ name: COMPACT, description: 'Make the conversation smaller by summing it up' }],
    models: shown.map((/** @type {any} */ { id, model, displayName, description, supportedReasoningEfforts }) => ({
      id: model ?? id,
      name: displayName ?? id,
      description,
      efforts: supportedReasoningEfforts?.map((/** @type {any} */ effort) => effort.reasoningEffort),
    })),
  };
}

/** The command that this runner gives codex in its own words: it has no commands in a prompt. */
const COMPACT = 'compact';

/**
 * @param {string} prompt
 * @returns {boolean} whether it asks to compact the conversation
 */
export function asksToCompact(prompt) {
  return prompt.trim() === `/${COMPACT}`;
}

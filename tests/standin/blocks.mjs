// What a model's reply is made of in this stand-in, whichever vendor's words it is then told in.

/** @typedef {{ type: 'text', text: string, chunk?: number, delayMs?: number, splitPairs?: boolean }} TextBlock */
/** @typedef {{ type: 'thinking', text: string, chunk?: number, delayMs?: number, splitPairs?: boolean }} ThinkingBlock */
/** @typedef {{ type: 'tool', want: Want }} ToolBlock a tool call before the CLI's own tool for it was found */
/** @typedef {TextBlock | ThinkingBlock | ToolBlock} Block */

/**
 * What a tool call should do.
 * @typedef {{ do: 'write', path: string, content: string } | { do: 'edit', path: string, old: string, new: string }
 *   | { do: 'read', path: string } | { do: 'shell', command: string }
 *   | { do: 'delegate', description: string, prompt: string } | { do: 'await-delegate' }
 *   | { do: 'ask', question: string, options: string[] } | { do: 'mcp', tool: string, input: any }
 *   | { do: 'plan', steps: PlanStep[] } | { do: 'leave-plan-mode', plan: string }
 *   | { do: 'task-create', subject: string } | { do: 'task-update', id: string, status: string } | { do: 'web-search', query: string }
 *   | { do: 'background-shell', command: string } | { do: 'escalated-shell', command: string, why: string }} Want
 */

/** @typedef {{ step: string, status: 'pending' | 'in_progress' | 'completed' }} PlanStep */

/** A tool call in the CLI's own words. */
/**
 * @typedef {{ type: 'call', name: string, input: any, custom?: boolean, search?: boolean, web?: boolean, namespace?: string }} CallBlock
 */

/**
 * @typedef {object} Failure
 * @property {number} status HTTP status
 * @property {string} type the vendor's name of the error
 * @property {string} message
 * @property {Record<string, string>} [headers]
 * @property {number} [times] how often it fails before the reply comes; always when missing
 */

/**
 * @typedef {object} Reply
 * @property {Block[]} blocks
 * @property {Failure} [failure] in place of the blocks
 * @property {'max_tokens' | 'refusal'} [stop] why it ends, when not because it is finished
 * @property {'drop' | 'error'} [cut] how the stream breaks off after the last block
 */

/**
 * @param {string} words
 * @param {Omit<TextBlock, 'type' | 'text'>} [how]
 * @returns {TextBlock}
 */
export const text = (words, how = {}) => ({ type: 'text', text: words, ...how });

/**
 * @param {string} words
 * @returns {ThinkingBlock}
 */
export const thinking = (words) => ({ type: 'thinking', text: words });

/**
 * @param {Want} want
 * @returns {ToolBlock}
 */
export const tool = (want) => ({ type: 'tool', want });

/** @param {string} words */
export const tokensOf = (words) => Math.max(1, Math.ceil(words.length / 4));

/**
 * Cuts words into deltas. Keeps surrogate pairs together unless told to cut them, as real APIs sometimes do.
 * @param {{ text: string, chunk?: number, splitPairs?: boolean }} block
 * @returns {string[]}
 */
export function deltas({ text: words, chunk = 24, splitPairs = false }) {
  const cut = [];
  for (let start = 0; start < words.length;) {
    let end = Math.min(start + chunk, words.length);
    const last = words.charCodeAt(end - 1);
    if (!splitPairs && end < words.length && last >= 0xd800 && last <= 0xdbff) end += 1;
    cut.push(words.slice(start, end));
    start = end;
  }
  return cut.length > 0 ? cut : [''];
}

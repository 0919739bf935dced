// Which text of the agent belongs together, and when is it finished? ACP streams text in chunks and never says that a block has
// ended, so it is said here: a block ends where something else begins.

/** The kinds of text, by the update that carries them. @type {Record<string, 'text' | 'thought'>} */
const KINDS = { agent_message_chunk: 'text', agent_thought_chunk: 'thought' };

/** Updates that come in the middle of a text without ending it. */
const BESIDE = new Set([
  'user_message_chunk',
  'available_commands_update',
  'config_option_update',
  'current_mode_update',
  'session_info_update',
  'usage_update',
]);

/** The longest block, in UTF-16 units: with every character escaped it still fits into a line. A longer text is cut into several. */
const LONGEST = 1024 * 1024;

/** How long a text outside of a turn may pause before it is taken as finished, in milliseconds. */
const PAUSE_MS = 500;

/** @typedef {{ kind: 'text' | 'thought', messageId: string, parent: string | undefined }} Head */
/** @typedef {Head & { text: string }} Block */

/** The block that is being streamed. */
export class Blocks {
  /** @type {Block | null} */ #open = null;
  /** @type {NodeJS.Timeout | undefined} */ #pause;
  #onEnd;

  /** @param {(block: Block) => void} onEnd with the whole text, before what ended it goes on */
  constructor(onEnd) {
    this.#onEnd = onEnd;
  }

  /**
   * Takes in a message of the agent, before it goes to the host.
   * @param {Record<string, any>} message
   * @param {boolean} changesOnly whether it only changes a call that was told before
   */
  hear({ method, params }, changesOnly) {
    const update = method === 'session/update' ? (params?.update ?? {}) : {};
    const head = headOf(update);
    if (head) this.#append(head, update.content.text);
    else if (!BESIDE.has(update.sessionUpdate) && !changesOnly && endsBlock(method)) this.end();
  }

  /** No end of a turn will end it: it ends when it pauses. */
  endSoon() {
    clearTimeout(this.#pause);
    if (this.#open) this.#pause = setTimeout(() => this.end(), PAUSE_MS);
  }

  /** Nothing more will come for it. */
  end() {
    clearTimeout(this.#pause);
    if (this.#open) this.#onEnd(this.#open);
    this.#open = null;
  }

  /**
   * @param {Head} head
   * @param {string} text
   */
  #append(head, text) {
    const open = this.#open;
    const same = open && open.kind === head.kind && open.messageId === head.messageId && open.parent === head.parent;
    if (!same || open.text.length + text.length > LONGEST) this.end();
    this.#open ??= { ...head, text: '' };
    this.#open.text += text;
  }
}

/**
 * @param {Record<string, any>} update
 * @returns {Head | null} null when it is no piece of text
 */
function headOf({ sessionUpdate, content, messageId, _meta }) {
  const kind = KINDS[sessionUpdate];
  if (!kind || content?.type !== 'text' || typeof content.text !== 'string' || content.text === '') return null;
  return { kind, messageId: messageId ?? '', parent: _meta?.claudeCode?.parentToolUseId };
}

/** What an agent asks for besides a permission shows nothing by itself. @param {string} method */
const endsBlock = (method) => method === 'session/update' || method === 'session/request_permission';

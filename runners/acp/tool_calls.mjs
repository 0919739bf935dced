// Which tool calls has the agent told of, and what did it say of them?
//
// An agent may ask about a call, or tell how it ended, without having told that it began (gemini does). Whoever reads the events
// later must know from a single one whether it begins a call, so that missing beginning is found here, where all were seen.

/** The calls of one conversation. */
export class ToolCalls {
  /** What stands after the tool's name in the ids of calls, if it does. @type {string | undefined} */ nameEndsAt;
  /** @type {Set<string>} */ #told = new Set();
  /** What was said of each that runs. @type {Map<string, Record<string, any>>} */ #running = new Map();
  /** The call that shows each terminal. @type {Map<string, string>} */ #shows = new Map();

  /**
   * Takes in what a message says of a call.
   * @param {Record<string, any>} message
   * @returns {{ missing?: { id: string, name?: string }, changes?: boolean }} the call whose beginning is missing before this message; or whether it only
   *   changes a call that was told before
   */
  hear({ method, params }) {
    const update = params?.update ?? {};
    const begins = method === 'session/update' && update.sessionUpdate === 'tool_call';
    const goesOn = method === 'session/update' && update.sessionUpdate === 'tool_call_update';
    if (!begins && !goesOn && method !== 'session/request_permission') return {};
    const call = begins || goesOn ? update : params?.toolCall;
    const id = call?.toolCallId;
    if (typeof id !== 'string' || id === '') return {};
    const known = this.#told.has(id);
    this.#told.add(id);
    this.#note(id, call);
    return { missing: begins || known ? undefined : { id, name: this.#nameIn(id) }, changes: goesOn && known };
  }

  /** @param {string | undefined} id what was said of it */
  get(id) {
    return { name: this.#nameIn(id ?? ''), ...this.#running.get(id ?? '') };
  }

  /** @param {string} id */
  #nameIn(id) {
    const end = this.nameEndsAt === undefined ? -1 : id.indexOf(this.nameEndsAt);
    return end > 0 ? id.slice(0, end) : undefined;
  }

  /**
   * @param {string} terminalId
   * @returns {string | undefined} the call that shows it, while that runs
   */
  shownBy(terminalId) {
    const id = this.#shows.get(terminalId);
    return id !== undefined && this.#running.has(id) ? id : undefined;
  }

  /**
   * @param {string} id
   * @param {Record<string, any>} call
   */
  #note(id, call) {
    const said = Object.entries(call).filter(([, value]) => value != null);
    if (call.status === 'completed' || call.status === 'failed') this.#running.delete(id);
    else this.#running.set(id, { ...this.#running.get(id), ...Object.fromEntries(said) });
    for (const piece of Array.isArray(call.content) ? call.content : []) {
      if (piece?.type === 'terminal') this.#shows.set(String(piece.terminalId), id);
    }
  }
}

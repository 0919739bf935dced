// Which questions of the agent wait for an answer, and what is needed to give it?
//
// One entry for each permission_request that the host has heard of and that was neither answered nor withdrawn.

/**
 * @typedef {object} PermissionAsk
 * @property {string} requestId unique within the session, over all its runners
 * @property {string} [toolCallId]
 * @property {string} toolName
 * @property {string} title one line for people
 * @property {ToolKind} kind
 * @property {unknown} input what exactly would happen
 * @property {{ outcome: Outcome, label: string }[]} options
 */
/** @typedef {'read' | 'edit' | 'delete' | 'move' | 'search' | 'execute' | 'think' | 'fetch' | 'delegate' | 'other'} ToolKind */
/** @typedef {'allow' | 'allowAlways' | 'deny' | 'denyAlways'} Outcome */

/**
 * @template Native what the session needs to answer its agent
 */
export class PendingPermissions {
  #host;
  #sessionId;
  /** @type {Map<string, Native>} */ #waiting = new Map();

  /**
   * @param {import('./protocol.mjs').HostChannel} host
   * @param {() => string} sessionId
   */
  constructor(host, sessionId) {
    this.#host = host;
    this.#sessionId = sessionId;
  }

  /**
   * @param {PermissionAsk} ask
   * @param {Native} native
   */
  ask(ask, native) {
    this.#waiting.set(ask.requestId, native);
    const { requestId, ...rest } = ask;
    this.#host.send({ type: 'permission_request', sessionId: this.#sessionId(), requestId, ...rest });
  }

  /**
   * Takes the question that an answer is for, or tells the host that it no longer waits.
   * @param {string} requestId
   * @returns {Native | undefined}
   */
  take(requestId) {
    const native = this.#waiting.get(requestId);
    if (native === undefined)
      this.#host.error(`no permission request ${JSON.stringify(requestId)} is waiting`, 'permissionResponse');
    this.#waiting.delete(requestId);
    return native;
  }

  /** @param {string} requestId a question that the agent withdrew */
  cancel(requestId) {
    if (!this.#waiting.delete(requestId)) return;
    this.#host.send({ type: 'permission_cancelled', sessionId: this.#sessionId(), requestId });
  }

  /** Withdraws every question, because the turn or the agent ended. */
  cancelAll() {
    for (const requestId of [...this.#waiting.keys()]) this.cancel(requestId);
  }
}

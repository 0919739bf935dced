// What does this runner tell the host besides the agent's own events? The few things that only it knows: see runners/README.md.

/** How bad a notice is. */
export const NOTICE = /** @type {const} */ ({ info: 'info', warning: 'warning' });

/** Sends them as events of the session. */
export class OwnEvents {
  #host;
  #sessionId;

  /**
   * @param {import('../lib/protocol.mjs').HostChannel} host
   * @param {() => string} sessionId
   */
  constructor(host, sessionId) {
    this.#host = host;
    this.#sessionId = sessionId;
  }

  /**
   * Something that people should know.
   * @param {'info' | 'warning'} level
   * @param {string} code a stable word for programs
   * @param {string} text
   */
  notice(level, code, text) {
    this.#send({ type: 'notice', level, code, text });
  }

  /** @param {import('./blocks.mjs').Block} block a finished one */
  block({ kind, text, parent }) {
    this.#send({ type: kind, text, parent });
  }

  /**
   * @param {string} toolCallId a call of which the agent tells now without having told that it began
   * @param {string | undefined} name the tool's, where it is known
   */
  toolCallBegan(toolCallId, name) {
    this.#send({ type: 'unannounced_tool_call', toolCallId, name });
  }

  /** @param {string} toolCallId a call that was not allowed; not every agent tells of its end */
  toolCallDenied(toolCallId) {
    this.#send({ type: 'tool_call_denied', toolCallId });
  }

  /**
   * @param {string} terminalId
   * @param {string | undefined} toolCallId the call that shows it
   * @param {string} text what it printed since the last one
   */
  terminalOutput(terminalId, toolCallId, text) {
    this.#send({ type: 'terminal_output', terminalId, toolCallId, text });
  }

  /**
   * @param {string} terminalId
   * @param {string | undefined} toolCallId
   * @param {Record<string, unknown>} end what it ran, what it printed, how it ended
   */
  terminalExit(terminalId, toolCallId, end) {
    this.#send({ type: 'terminal_exit', terminalId, toolCallId, ...end });
  }

  /** @param {Record<string, unknown>} event */
  #send(event) {
    this.#host.event(this.#sessionId(), JSON.stringify(event));
  }
}

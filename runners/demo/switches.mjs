// What does the prompt ask the demo agent to show? Words such as `demo:slow=50` in it, see runners/README.md.

const WORD = /\bdemo:([a-z-]+)(?:=("[^"]*"|'[^']*'|\S+))?/g;

/**
 * @typedef {object} Switches
 * @property {number | undefined} slow milliseconds between deltas
 * @property {number | undefined} huge MiB of output
 * @property {boolean} fail
 * @property {number} flaky so many attempts fail before one goes on
 * @property {number} stderr lines for stderr before anything else
 * @property {string | undefined} crash `exit` or `abort`
 * @property {boolean} garbage
 * @property {boolean} exitAtOnce
 * @property {string | undefined} run a command to ask for and run
 * @property {number} tools further tool calls
 * @property {boolean} write writes the summary in a follow-up too
 */

/**
 * @param {string} prompt
 * @returns {Switches}
 */
export function switchesIn(prompt) {
  const found = new Map([...prompt.matchAll(WORD)].map(([, name, value]) => [name, unquoted(value ?? '')]));
  const number = (/** @type {string} */ name, /** @type {number} */ otherwise) => {
    if (!found.has(name)) return undefined;
    const value = Number.parseFloat(found.get(name) ?? '');
    return Number.isFinite(value) && value >= 0 ? value : otherwise;
  };
  return {
    slow: number('slow', 150),
    huge: number('huge', 4),
    fail: found.has('fail'),
    flaky: number('flaky', 1) ?? 0,
    stderr: Math.min(number('stderr', 3) ?? 0, 10_000),
    crash: found.has('crash') ? found.get('crash') || 'exit' : undefined,
    garbage: found.has('garbage'),
    exitAtOnce: found.has('exit-at-once'),
    run: found.get('run') ?? (found.has('ask') ? 'echo hello from the demo agent && ls' : undefined),
    tools: Math.min(number('tools', 3) ?? 0, 10_000),
    write: found.has('write'),
  };
}

/** @param {string} value */
function unquoted(value) {
  return /^(["']).*\1$/s.test(value) ? value.slice(1, -1) : value;
}

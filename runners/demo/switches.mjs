// What does the prompt ask the demo agent to show? Words such as `demo:slow=50` in it, see runners/README.md.

const TOOL = /\bdemo:tool=([\w./-]+)/g;
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
 * @property {ToolStep[]} calls tools of MCP servers to call, in order
 * @property {boolean} listTools tells which tools the MCP servers offer
 */
/** @typedef {{ name: string, input: Record<string, unknown> | undefined }} ToolStep without input when it cannot be read */

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
    calls: [...prompt.matchAll(TOOL)].map(({ 0: word, 1: name, index }) => ({
      name,
      input: objectAt(prompt.slice(index + word.length)),
    })),
    listTools: found.has('list-tools'),
  };
}

/**
 * The JSON object that a text begins with; an empty one where no object begins.
 * @param {string} text
 * @returns {Record<string, unknown> | undefined}
 */
function objectAt(text) {
  const rest = text.trimStart();
  if (!rest.startsWith('{')) return {};
  for (let end = rest.indexOf('}'); end >= 0; end = rest.indexOf('}', end + 1)) {
    try {
      return JSON.parse(rest.slice(0, end + 1));
    } catch {
      // It goes on behind this brace.
    }
  }
  return undefined;
}

/** @param {string} value */
function unquoted(value) {
  return /^(["']).*\1$/s.test(value) ? value.slice(1, -1) : value;
}

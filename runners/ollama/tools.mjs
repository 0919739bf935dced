// Which tools is a model offered, and what does a call of one do? Reading, listing, searching, writing, editing and running,
// and whatever the MCP servers of the session bring.
//
// Whether a call is asked about is permission.mjs's business.

import { applyChange, listDirectory, plannedChange, readFileText } from './files.mjs';
import { runCommand } from './command.mjs';
import { searchFiles } from './search.mjs';
import { ToolFailure } from './tool_failure.mjs';
import { OutOfScope } from './scope.mjs';

/** @typedef {import('../lib/pending_permissions.mjs').ToolKind} ToolKind */
/** @typedef {{ ok: boolean, output: string, exitCode?: number | null }} Result */
/**
 * @typedef {object} Call
 * @property {string} id
 * @property {string} name
 * @property {ToolKind} kind
 * @property {string} title
 * @property {Record<string, any>} input
 * @property {import('./files.mjs').Change} [change] what it would write
 * @property {string} [impossible] why it cannot be done
 * @property {boolean} [readOnly] of an MCP server's tool: whether the server says that it changes nothing
 */

/**
 * @param {string} name
 * @param {string} description
 * @param {Record<string, { type: string, description: string }>} properties
 * @param {string[]} required
 */
const offer = (name, description, properties, required) => ({
  type: 'function',
  function: { name, description, parameters: { type: 'object', properties, required } },
});

const PATH = { type: 'string', description: 'A path, absolute or relative to the working directory' };

/** The tools that the runner itself has, as Ollama's API takes them. */
const OWN = [
  offer(
    'read_file',
    'Reads a text file.',
    {
      path: PATH,
      offset: { type: 'integer', description: 'The first line to read, counted from 1' },
      limit: { type: 'integer', description: 'How many lines to read at most' },
    },
    ['path'],
  ),
  offer('list_directory', 'Lists what is in a folder.', { path: PATH }, []),
  offer(
    'search',
    'Searches the text of files with a regular expression. Gives path:line: text.',
    {
      pattern: { type: 'string', description: 'A JavaScript regular expression' },
      path: { ...PATH, description: 'A folder or file to search in; the working directory when missing' },
      glob: { type: 'string', description: 'Only files that fit, e.g. *.rs or src/**/*.ts' },
      ignore_case: { type: 'boolean', description: 'Whether upper and lower case are the same' },
    },
    ['pattern'],
  ),
  offer(
    'write_file',
    'Makes a file, or replaces all of its content.',
    { path: PATH, content: { type: 'string', description: 'The whole new content' } },
    ['path', 'content'],
  ),
  offer(
    'edit_file',
    'Replaces a piece of text in a file.',
    {
      path: PATH,
      old_text: { type: 'string', description: 'The text to replace, exactly as it is in the file' },
      new_text: { type: 'string', description: 'What takes its place' },
      replace_all: { type: 'boolean', description: 'Replace each occurrence instead of the only one' },
    },
    ['path', 'old_text', 'new_text'],
  ),
  offer(
    'run_command',
    'Runs a shell command in the working directory and gives its output.',
    {
      command: { type: 'string', description: 'The command' },
      timeout_ms: {
        type: 'integer',
        description: 'When to end it, in milliseconds; 120000 when missing, 600000 at most',
      },
    },
    ['command'],
  ),
];

/** @param {[string, import('../lib/mcp_tools.mjs').RemoteTool]} named a tool of a server */
const offerOf = ([name, { tool }]) => {
  const parameters = tool.inputSchema ?? { type: 'object', properties: {} };
  return { type: 'function', function: { name, description: tool.description ?? '', parameters } };
};

/** @type {Record<string, ToolKind>} */
const KINDS = {
  read_file: 'read',
  list_directory: 'search',
  search: 'search',
  write_file: 'edit',
  edit_file: 'edit',
  run_command: 'execute',
};

/** The tools of one session. */
export class Tools {
  #scope;
  #env;
  #mcp;

  /**
   * @param {import('./scope.mjs').Scope} scope
   * @param {NodeJS.ProcessEnv} env of commands
   * @param {import('../lib/mcp_tools.mjs').McpTools | null} mcp
   */
  constructor(scope, env, mcp) {
    this.#scope = scope;
    this.#env = env;
    this.#mcp = mcp;
  }

  /** What the model is offered. */
  get offered() {
    return [...OWN, ...(this.#mcp?.all ?? []).map(offerOf)];
  }

  /**
   * Looks for tools of servers that have come or gone.
   * @param {AbortSignal} signal
   * @returns {Promise<string[]>} what is wrong with servers
   */
  async refresh(signal) {
    await this.#mcp?.refresh(signal);
    return this.#mcp?.takeProblems() ?? [];
  }

  /**
   * Makes a call of what the model wrote. Never throws: a call that cannot be done says why.
   * @param {string} id
   * @param {string} name
   * @param {unknown} argument
   * @returns {Promise<Call>}
   */
  async prepared(id, name, argument) {
    const input = inputOf(argument);
    const remote = this.#mcp?.find(name);
    const kind = KINDS[name] ?? 'other';
    /** @type {Call} */
    const call = { id, name, kind, title: remote?.title ?? titleOf(name, input), input, readOnly: remote?.readOnly };
    if (!remote && !KINDS[name]) return { ...call, impossible: `there is no tool ${name}` };
    if (kind !== 'edit') return call;
    try {
      return { ...call, change: await plannedChange(this.#scope, name, input) };
    } catch (error) {
      return { ...call, impossible: /** @type {Error} */ (error).message };
    }
  }

  /**
   * @param {Call} call
   * @param {AbortSignal} signal
   * @param {(text: string) => void} onOutput hears what a command prints, as it comes
   * @returns {Promise<Result>}
   * @throws only when the signal was aborted
   */
  async done(call, signal, onOutput) {
    try {
      return await this.#run(call, signal, onOutput);
    } catch (error) {
      if (signal.aborted && !(error instanceof ToolFailure)) throw error;
      const expected = error instanceof ToolFailure || error instanceof OutOfScope;
      const said = /** @type {any} */ (error)?.message ?? String(error);
      return { ok: false, output: expected ? said : `the tool failed: ${said}` };
    }
  }

  /**
   * @param {Call} call
   * @param {AbortSignal} signal
   * @param {(text: string) => void} onOutput
   * @returns {Promise<Result>}
   */
  async #run({ name, input }, signal, onOutput) {
    const given = /** @type {any} */ (input);
    switch (name) {
      case 'read_file':
        return { ok: true, output: await readFileText(this.#scope, given) };
      case 'list_directory':
        return { ok: true, output: await listDirectory(this.#scope, given) };
      case 'search':
        return { ok: true, output: await searchFiles(this.#scope, given, signal) };
      case 'write_file':
      case 'edit_file':
        return { ok: true, output: await applyChange(this.#scope, name, given) };
      case 'run_command':
        return runCommand(given, { cwd: this.#scope.cwd, env: this.#env, signal, onOutput });
      default:
        if (!this.#mcp) throw new ToolFailure(`there is no tool ${name}`);
        return this.#mcp.call(name, input, signal);
    }
  }

  async close() {
    await this.#mcp?.close();
  }
}

/**
 * Models now and then write the arguments as a string.
 * @param {unknown} argument
 * @returns {Record<string, any>}
 */
function inputOf(argument) {
  if (typeof argument === 'string') {
    try {
      return inputOf(JSON.parse(argument));
    } catch {
      return {};
    }
  }
  return argument !== null && typeof argument === 'object' && !Array.isArray(argument) ? argument : {};
}

/**
 * @param {string} name
 * @param {Record<string, any>} input
 */
function titleOf(name, input) {
  const line = (/** @type {unknown} */ value) =>
    String(value ?? '')
      .split('\n')[0]
      .slice(0, 200);
  switch (name) {
    case 'read_file':
      return `Read ${line(input.path)}`;
    case 'list_directory':
      return `List ${line(input.path ?? '.')}`;
    case 'search':
      return `Search ${line(input.pattern)}`;
    case 'write_file':
      return `Write ${line(input.path)}`;
    case 'edit_file':
      return `Edit ${line(input.path)}`;
    case 'run_command':
      return `Run ${line(input.command)}`;
    default:
      return name;
  }
}

// What does the demo agent do in one turn? It looks at the workspace, tells what it found, and writes a summary file if
// it may. Everything it does is real work on real files; only the words are not a model's.

import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { garbage } from './garbage.mjs';
import { listFiles, readBeginning, worthReading } from './workspace.mjs';

export const SUMMARY_FILE = 'OUTRIGGER-DEMO.md';

/** Milliseconds between deltas when neither the prompt nor the environment says otherwise. */
const PACE_MS = 15;
/** Characters of a delta. */
const DELTA_CHARS = 12;
/** Milliseconds in which the output of a command that has ended is still read. */
const DRAIN_MS = 250;
/** Kept of a command's output, in characters. */
const OUTPUT_LIMIT = 1024 * 1024;

/** Ends a turn on purpose. */
export class TurnFailure extends Error {}

/** Ends a turn as a provider does that has too much to do. */
export class Overloaded extends Error {}

/**
 * @typedef {object} TurnContext
 * @property {string} sessionId
 * @property {string} cwd
 * @property {string} prompt
 * @property {string} permissionMode
 * @property {number} number of this turn in the session, from 1
 * @property {number} overloads how many turns of this runner were refused as too much before this one
 * @property {string | undefined} resumed the id that was resumed
 * @property {import('./switches.mjs').Switches} switches
 * @property {AbortSignal} signal aborted when the turn is interrupted
 * @property {string[]} steers what the user said during the turn; taken from the front
 * @property {() => number} nextBlock
 * @property {(event: Record<string, unknown>) => void} emit
 * @property {() => Promise<void>} pace waits until the host takes more
 * @property {(ask: Omit<import('../lib/pending_permissions.mjs').PermissionAsk, 'requestId' | 'options'>) => Promise<boolean>} mayI
 * @property {() => Promise<import('../lib/mcp_tools.mjs').McpTools>} mcp the tools of the session's MCP servers, as they are now
 * @property {(bytes: Buffer) => Promise<void>} raw writes bytes to stdout as they are
 */
/** @typedef {Omit<import('../lib/pending_permissions.mjs').PermissionAsk, 'requestId' | 'options'> & { toolCallId: string }} Step */

/** One turn of the demo agent. */
export class DemoTurn {
  #context;
  #pace;
  /** Characters that the agent wrote, for a plausible count of tokens. */
  written = 0;

  /** @param {TurnContext} context */
  constructor(context) {
    this.#context = context;
    this.#pace = context.switches.slow ?? paceOfEnvironment();
  }

  /** Does the turn. Throws when it is interrupted or fails. */
  async run() {
    const { switches, number, prompt, overloads } = this.#context;
    for (let n = 1; n <= switches.stderr; n++) process.stderr.write(`demo agent: line ${n} of ${switches.stderr}\n`);
    if (overloads < switches.flaky) {
      throw new Overloaded(`the demo agent has too much to do, for the ${overloads + 1}. time (demo:flaky)`);
    }
    if (switches.garbage) return this.#showGarbage();
    if (switches.huge !== undefined) return this.#showHuge(switches.huge);
    await this.#think(`The user said: “${firstLine(prompt)}”. I will look at the workspace before I answer.`);
    const files = await this.#look();
    await this.#showTrouble();
    await this.#takeSteers();
    await this.#answer(files);
    if (switches.listTools) await this.#listTools();
    for (const call of switches.calls) await this.#callTool(call);
    if (switches.run) await this.#runCommand(switches.run);
    if (number === 1 || switches.write) await this.#writeSummary(files);
    await this.#takeSteers();
    this.#plan(3);
  }

  /** @returns {Promise<import('./workspace.mjs').FileEntry[]>} */
  async #look() {
    const { cwd, switches } = this.#context;
    this.#plan(0);
    const files = await this.#tool('list_files', 'search', 'List files', { path: '.' }, async () => {
      const found = await listFiles(cwd);
      return { value: found, output: found.map((file) => `${file.path} (${file.bytes} bytes)`).join('\n') };
    });
    this.#plan(1);
    const wanted = worthReading(files, 2);
    for (let extra = 0; extra < switches.tools && files.length > 0; extra++) wanted.push(files[extra % files.length]);
    for (const file of wanted) {
      await this.#tool('read_file', 'read', `Read ${file.path}`, { path: file.path }, async () => {
        const text = await readBeginning(cwd, file.path);
        return { value: undefined, output: text.split('\n').slice(0, 20).join('\n') };
      });
    }
    return files;
  }

  /** @param {import('./workspace.mjs').FileEntry[]} files */
  async #answer(files) {
    const { number, prompt, resumed } = this.#context;
    const biggest = [...files].sort((a, b) => b.bytes - a.bytes || (a.path < b.path ? -1 : 1)).slice(0, 3);
    const lines = [];
    if (number > 1) lines.push(`This is turn ${number} of our session.`, '');
    if (resumed && number === 1) {
      lines.push(
        `I resumed \`${resumed}\`: its id and nothing else, because the demo agent keeps no memory of earlier conversations.`,
        '',
      );
    }
    lines.push(
      `You asked: “${firstLine(prompt)}”.`,
      '',
      `I looked at the workspace and found **${count(files.length, 'file')}**, ${bytes(files)} in all.`,
    );
    if (biggest.length > 0)
      lines.push('The biggest are:', '', ...biggest.map((file) => `- \`${file.path}\`, ${file.bytes} bytes`));
    lines.push(
      '',
      'I am the built-in demo agent: no account, no network, no model. What I do to files is real, what I say is a fixed script.',
    );
    await this.#say(lines.join('\n'));
    this.#plan(2);
  }

  /** @param {import('./workspace.mjs').FileEntry[]} files */
  async #writeSummary(files) {
    const { cwd, permissionMode } = this.#context;
    const content = summary(files);
    const input = { path: SUMMARY_FILE, content };
    if (permissionMode === 'plan') {
      return this.#say(
        `In plan mode I change nothing. Otherwise I would now write \`${SUMMARY_FILE}\` (${content.length} characters).`,
      );
    }
    const id = randomUUID();
    const title = `Write ${SUMMARY_FILE}`;
    const free = permissionMode === 'acceptEdits' || permissionMode === 'bypass';
    if (!(await this.#isAllowed({ toolCallId: id, toolName: 'write_file', title, kind: 'edit', input }, free))) {
      return this.#say(`You denied it, so I did not write \`${SUMMARY_FILE}\`.`);
    }
    const started = performance.now();
    const problem = await writeFile(path.join(cwd, SUMMARY_FILE), content).then(
      () => '',
      (error) => String(error.message),
    );
    const output = problem || `Wrote ${Buffer.byteLength(content)} bytes to ${SUMMARY_FILE}.`;
    this.#context.emit({ type: 'tool_result', id, ok: !problem, output, durationMs: since(started) });
    await this.#say(problem ? `Writing failed: ${problem}` : `Done: I wrote the summary to \`${SUMMARY_FILE}\`.`);
  }

  /** @param {string} command */
  async #runCommand(command) {
    const { permissionMode, cwd, signal } = this.#context;
    if (permissionMode === 'plan') return this.#say(`In plan mode I do not run \`${command}\`.`);
    const id = randomUUID();
    /** @type {Step} */
    const step = { toolCallId: id, toolName: 'shell', title: `Run: ${command}`, kind: 'execute', input: { command } };
    if (!(await this.#isAllowed(step, permissionMode === 'bypass'))) {
      return this.#say(`You denied it, so I did not run \`${command}\`.`);
    }
    const started = performance.now();
    const { ok, output } = await runInShell(command, cwd, signal);
    this.#context.emit({ type: 'tool_result', id, ok, output, durationMs: since(started) });
    signal.throwIfAborted();
  }

  /** @param {import('./switches.mjs').ToolStep} call of a tool that an MCP server offers */
  async #callTool({ name, input }) {
    const { permissionMode, signal, emit } = this.#context;
    if (!input) throw new TurnFailure(`what follows demo:tool=${name} is no JSON object`);
    const mcp = await this.#servers();
    const remote = mcp.find(name);
    if (permissionMode === 'plan' && !remote?.readOnly) return this.#say(`In plan mode I do not call \`${name}\`.`);
    const id = randomUUID();
    /** @type {Step} */
    const step = { toolCallId: id, toolName: name, title: remote?.title ?? name, kind: 'other', input };
    if (!(await this.#isAllowed(step, permissionMode === 'bypass' || !remote))) {
      return this.#say(`You denied it, so I did not call \`${name}\`.`);
    }
    const started = performance.now();
    const interrupted = { ok: false, output: 'The user interrupted this.' };
    const result = await mcp.call(name, input, signal).catch(() => interrupted);
    emit({ type: 'tool_result', id, ...result, durationMs: since(started) });
    signal.throwIfAborted();
  }

  async #listTools() {
    const { all } = await this.#servers();
    const lines = all.map(([name, { tool }]) => `- \`${name}\`: ${firstLine(tool.description ?? '')}`);
    await this.#say([`I may call ${count(all.length, 'tool')} of MCP servers.`, '', ...lines].join('\n').trim());
  }

  /** The MCP servers of the session. What is wrong with them is told. */
  async #servers() {
    const mcp = await this.#context.mcp();
    this.#context.signal.throwIfAborted();
    for (const problem of mcp.takeProblems()) await this.#say(problem);
    return mcp;
  }

  /**
   * Begins something that may have to be asked about.
   * @param {Step} step
   * @param {boolean} free whether nobody has to be asked
   * @returns {Promise<boolean>} whether it may be done; a denial is told as its result
   */
  async #isAllowed(step, free) {
    const { toolCallId: id, toolName: name, kind, title, input } = step;
    this.#context.emit({ type: 'tool_call', id, name, kind, title, input });
    const allowed = free || (await this.#context.mayI(step));
    this.#context.signal.throwIfAborted();
    const output = 'The user denied this.';
    if (!allowed) this.#context.emit({ type: 'tool_result', id, ok: false, output, durationMs: 0 });
    return allowed;
  }

  /** What the user said in the meantime gets an answer at once. */
  async #takeSteers() {
    for (let text = this.#context.steers.shift(); text !== undefined; text = this.#context.steers.shift()) {
      await this.#say(
        `You added in the middle of the turn: “${firstLine(text)}”. I take it into account from here on.`,
      );
    }
  }

  async #showTrouble() {
    const { switches } = this.#context;
    if (switches.fail) throw new TurnFailure('the demo agent failed because the prompt asked for it (demo:fail)');
    if (switches.crash === undefined) return;
    await this.#say('I am about to crash, as the prompt asked.');
    await this.#context.pace();
    process.stderr.write('demo agent: something terrible happened\ndemo agent: it was asked for with demo:crash\n');
    await this.#context.raw(Buffer.alloc(0));
    if (switches.crash === 'abort') process.abort();
    process.exit(7);
  }

  async #showGarbage() {
    await this.#say('What follows is garbage, then everything goes on as usual.');
    for (const part of garbage(this.#context.sessionId)) {
      if (part === 'pause') await sleep(30);
      else await this.#context.raw(part);
    }
    await this.#say('That was the garbage. Nothing valid should be missing.');
  }

  /** @param {number} mebibytes */
  async #showHuge(mebibytes) {
    const blockBytes = 64 * 1024;
    const blocks = Math.max(1, Math.round((mebibytes * 1024 * 1024) / blockBytes));
    for (let n = 0; n < blocks; n++) {
      await this.#stream('text', hugeText(n, blockBytes), 512, 0);
    }
    await this.#tool('print', 'other', 'Print a big output', {}, async () => ({
      value: undefined,
      output: hugeText(blocks, 4 * blockBytes),
    }));
  }

  /** @param {number} done how many of the steps are done */
  #plan(done) {
    const steps = ['Look at the workspace', 'Read what explains it', 'Tell what was found'];
    const status = (/** @type {number} */ index) =>
      index < done ? 'completed' : index === done ? 'in_progress' : 'pending';
    this.#context.emit({ type: 'plan', entries: steps.map((content, index) => ({ content, status: status(index) })) });
  }

  /**
   * @template T
   * @param {string} name
   * @param {string} kind
   * @param {string} title
   * @param {unknown} input
   * @param {() => Promise<{ value: T, output: string }>} work
   * @returns {Promise<T>}
   */
  async #tool(name, kind, title, input, work) {
    this.#context.signal.throwIfAborted();
    const id = randomUUID();
    this.#context.emit({ type: 'tool_call', id, name, kind, title, input });
    const started = performance.now();
    try {
      const { value, output } = await work();
      this.#context.emit({ type: 'tool_result', id, ok: true, output, durationMs: since(started) });
      await this.#context.pace();
      return value;
    } catch (error) {
      const output = String(/** @type {any} */ (error)?.message ?? error);
      this.#context.emit({ type: 'tool_result', id, ok: false, output, durationMs: since(started) });
      throw new TurnFailure(`${title} failed: ${output}`);
    }
  }

  /** @param {string} text */
  #say(text) {
    return this.#stream('text', text, DELTA_CHARS, this.#pace);
  }

  /** @param {string} text */
  #think(text) {
    return this.#stream('thought', text, DELTA_CHARS, this.#pace);
  }

  /**
   * Streams a block in deltas, then gives it whole. An interrupt ends it early; what was said until then is given whole.
   * @param {'text' | 'thought'} type
   * @param {string} text
   * @param {number} deltaChars
   * @param {number} paceMs
   */
  async #stream(type, text, deltaChars, paceMs) {
    const { emit, nextBlock, pace, signal } = this.#context;
    const block = nextBlock();
    let said = '';
    for (const delta of pieces(text, deltaChars)) {
      if (signal.aborted) break;
      emit({ type: `${type}_delta`, block, text: delta });
      said += delta;
      await pace();
      if (paceMs > 0) await sleep(paceMs, undefined, { signal }).catch(() => {});
      // Without a pause an interrupt or a steer would never be heard.
      else if (block % 8 === 0) await sleep(0);
    }
    this.written += said.length;
    emit({ type, block, text: said });
    signal.throwIfAborted();
  }
}

/** @returns {number} milliseconds between deltas */
function paceOfEnvironment() {
  const pace = Number.parseFloat(process.env.OUTRIGGER_DEMO_PACE ?? '');
  return Number.isFinite(pace) && pace >= 0 ? pace : PACE_MS;
}

/**
 * @param {string} text
 * @param {number} size in characters; never cuts a character in two
 */
function* pieces(text, size) {
  let piece = '';
  for (const character of text) {
    piece += character;
    if (piece.length >= size) {
      yield piece;
      piece = '';
    }
  }
  if (piece !== '') yield piece;
}

/** @param {string} text */
function firstLine(text) {
  const line = text.trim().split('\n')[0];
  return line.length > 200 ? `${line.slice(0, 200)}…` : line;
}

/** @param {number} started */
const since = (started) => Math.round(performance.now() - started);

/**
 * @param {number} number
 * @param {string} noun
 */
const count = (number, noun) => `${number} ${noun}${number === 1 ? '' : 's'}`;

/** @param {import('./workspace.mjs').FileEntry[]} files */
const bytes = (files) => `${files.reduce((sum, file) => sum + file.bytes, 0)} bytes`;

/** @param {import('./workspace.mjs').FileEntry[]} files */
function summary(files) {
  const rows = files.slice(0, 50).map((file) => `| \`${file.path}\` | ${file.bytes} |`);
  return [
    '# What the demo agent found',
    '',
    `${count(files.length, 'file')}, ${bytes(files)}.`,
    '',
    '| file | bytes |',
    '|---|---|',
    ...rows,
    '',
  ].join('\n');
}

/**
 * @param {number} seed
 * @param {number} size
 */
function hugeText(seed, size) {
  const line = `Block ${seed}: the quick brown fox jumps over the lazy dog, again and again, to fill a big output.\n`;
  return line.repeat(Math.ceil(size / line.length)).slice(0, size);
}

/**
 * @param {string} command
 * @param {string} cwd
 * @param {AbortSignal} signal
 * @returns {Promise<{ ok: boolean, output: string }>}
 */
function runInShell(command, cwd, signal) {
  return new Promise((resolve) => {
    const child = spawn('sh', ['-c', command], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    const end = () => child.kill('SIGKILL');
    signal.addEventListener('abort', end, { once: true });
    process.once('exit', end);
    let output = '';
    const keep = (/** @type {Buffer} */ chunk) => {
      if (output.length < OUTPUT_LIMIT) output += chunk.toString('utf8');
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    const done = (/** @type {boolean} */ ok, /** @type {string} */ note) => {
      signal.removeEventListener('abort', end);
      process.removeListener('exit', end);
      resolve({ ok, output: `${output.slice(0, OUTPUT_LIMIT)}${note}` });
    };
    child.once('error', (error) => done(false, error.message));
    child.once('exit', (code, killed) => {
      if (killed) return done(false, `\n(ended by ${killed})`);
      // What it left running may hold its output open for as long as it likes: the turn does not wait for that.
      setTimeout(() => [child.stdout, child.stderr].forEach((stream) => stream.destroy()), DRAIN_MS).unref();
    });
    child.once('close', (code) => done(code === 0, code === 0 ? '' : `\n(exit code ${code})`));
  });
}

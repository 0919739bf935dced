// How does a command of the model run, and how is it ended? In a shell and a process group of its own, below the runner, so
// that an interrupt reaches everything that it started and whoever ends the runner's tree finds it.

import { spawn } from 'node:child_process';
import { awaitSilence } from '../lib/silence.mjs';
import { ToolFailure } from './tool_failure.mjs';

/** How long a command may run unless the model asks for another time, and at most, in milliseconds. */
const TIME_MS = 120_000;
const TIME_LIMIT_MS = 600_000;
/** From SIGTERM to SIGKILL, in milliseconds. */
const GRACE_MS = 1500;
/** The output of a command that has ended is read until it is silent for so long: what it left running may hold it open. */
const DRAIN_MS = 250;
/** And no longer than this: what it left running may print without end. */
const DRAIN_LIMIT_MS = 5000;
/** Kept of an output's beginning and of its end, in characters: more is of no use to a model. */
const KEPT_CHARS = 15_000;

/** Commands that run, so that the end of the runner is theirs. @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set();

/** Ends every command at once. */
export function killCommands() {
  for (const child of running) signalGroup(child, 'SIGKILL');
}

/**
 * @param {{ command: string, timeout_ms?: number }} input
 * @param {{ cwd: string, env: NodeJS.ProcessEnv, signal: AbortSignal, onOutput: (text: string) => void }} run
 * @returns {Promise<{ ok: boolean, output: string, exitCode: number | null }>}
 */
export function runCommand({ command, timeout_ms: asked }, { cwd, env, signal, onOutput }) {
  if (typeof command !== 'string' || command.trim() === '') throw new ToolFailure('command must be a shell command');
  const limit = Math.min(TIME_LIMIT_MS, Number(asked) > 0 ? Number(asked) : TIME_MS);
  return new Promise((resolve, reject) => {
    const child = start(command, cwd, env);
    running.add(child);
    const output = new Output(onOutput);
    let note = '';
    const end = (/** @type {string} */ why) => {
      note ||= why;
      signalGroup(child, 'SIGTERM');
      setTimeout(() => signalGroup(child, 'SIGKILL'), GRACE_MS).unref();
    };
    const timer = setTimeout(() => end(`(ended after ${limit / 1000} s, as long as it may take)`), limit);
    const onAbort = () => end('(interrupted)');
    signal.addEventListener('abort', onAbort, { once: true });
    const streams = [child.stdout, child.stderr];
    for (const stream of streams) stream?.on('data', (chunk) => output.add(chunk));
    child.once('error', (error) => reject(new ToolFailure(`cannot run the command: ${error.message}`)));
    child.once('exit', () => drain(streams));
    child.once('close', (code, killed) => {
      running.delete(child);
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      if (note) signalGroup(child, 'SIGKILL');
      const how = note || (killed ? `(ended by ${killed})` : code === 0 ? '' : `(exit code ${code})`);
      resolve({ ok: code === 0 && !note, output: output.text(how), exitCode: code });
    });
  });
}

/**
 * @param {string} command
 * @param {string} cwd
 * @param {NodeJS.ProcessEnv} env
 */
function start(command, cwd, env) {
  const windows = process.platform === 'win32';
  const [shell, ...args] = windows ? [env.ComSpec || 'cmd.exe', '/d', '/s', '/c'] : ['/bin/sh', '-c'];
  return spawn(shell, [...args, windows ? `"${command}"` : command], {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: !windows,
    windowsHide: true,
    windowsVerbatimArguments: windows,
  });
}

/**
 * Closes what is read of a command that has ended, once nothing more comes.
 * @param {(import('node:stream').Readable | null)[]} streams
 */
function drain(streams) {
  const close = () => streams.forEach((stream) => stream?.destroy());
  const silence = awaitSilence(DRAIN_MS, close);
  const limit = setTimeout(close, DRAIN_LIMIT_MS);
  for (const stream of streams) stream?.on('data', silence.heard);
  let open = streams.filter((stream) => stream && !stream.closed).length;
  const closed = () => {
    open -= 1;
    if (open > 0) return;
    silence.cancel();
    clearTimeout(limit);
  };
  for (const stream of streams) stream?.once('close', closed);
}

/**
 * @param {import('node:child_process').ChildProcess} child the leader of its group
 * @param {NodeJS.Signals} signal
 */
function signalGroup(child, signal) {
  if (child.pid === undefined) return;
  try {
    if (process.platform === 'win32') child.kill(signal);
    else process.kill(-child.pid, signal);
  } catch {
    // It has ended already.
  }
}

/** The beginning and the end of what a command prints. */
export class Output {
  #head = '';
  #tail = '';
  #left = 0;
  #decoder = new TextDecoder();
  #onOutput;

  /** @param {(text: string) => void} onOutput */
  constructor(onOutput) {
    this.#onOutput = onOutput;
  }

  /** @param {Buffer} chunk */
  add(chunk) {
    let text = this.#decoder.decode(chunk, { stream: true });
    const room = KEPT_CHARS - this.#head.length;
    if (room > 0) {
      const kept = text.slice(0, room);
      this.#head += kept;
      this.#onOutput(kept);
      text = text.slice(room);
    }
    this.#tail += text;
    if (this.#tail.length > 2 * KEPT_CHARS) {
      this.#left += this.#tail.length - KEPT_CHARS;
      this.#tail = this.#tail.slice(-KEPT_CHARS);
    }
  }

  /** @param {string} note how it ended, when not well */
  text(note) {
    // While it comes in, up to twice as much is kept, so that not every piece moves all of it.
    const left = this.#left + Math.max(0, this.#tail.length - KEPT_CHARS);
    const gap = left > 0 ? `\n(${left} characters are left out here)\n` : '';
    const all = `${this.#head}${gap}${this.#tail.slice(-KEPT_CHARS)}`;
    return note ? `${all}${all === '' || all.endsWith('\n') ? '' : '\n'}${note}` : all || '(no output)';
  }
}

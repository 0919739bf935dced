// What the Ollama runner's tests stand on: a stand-in of the server, a workspace, and runners in processes of their own.

import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { RunnerProcess } from './runner_process.mjs';

/** One test's server, folders and runners. */
export class OllamaStage {
  root = mkdtempSync(path.join(os.tmpdir(), 'outrigger-ollama-'));
  workspace = path.join(this.root, 'workspace');
  sessionId = randomUUID();
  /** @type {RunnerProcess[]} */ runners = [];

  /** @param {import('../../tests/standin/standin.mjs').StandIn} standIn */
  constructor(standIn) {
    this.standIn = standIn;
    mkdirSync(this.workspace);
  }

  /** @param {Record<string, any>} more */
  query(more) {
    const { sessionId, workspace: cwd } = this;
    const stateDir = path.join(this.root, 'sessions', sessionId, 'runner');
    return { type: 'query', sessionId, cwd, permissionMode: 'bypass', resumeMode: 'new', stateDir, ...more };
  }

  /** @param {Record<string, string>} [env] */
  runner(env) {
    const own = { OLLAMA_HOST: this.standIn.url, HOME: this.root, ...env };
    const runner = new RunnerProcess('ollama.mjs', { env: own });
    this.runners.push(runner);
    return runner;
  }

  /** @param {string} name */
  at(name) {
    return path.join(this.workspace, name);
  }

  /** The chats that the server was asked for. */
  get chats() {
    return this.standIn.requests.filter((request) => request.api === 'ollama');
  }

  async clear() {
    await Promise.all(this.runners.map((runner) => runner.destroy()));
    await this.standIn.close();
    rmSync(this.root, { recursive: true, force: true, maxRetries: 5 });
  }
}

/**
 * The whole blocks of text so far.
 * @param {RunnerProcess} runner
 */
export const texts = (runner) => runner.events.filter((event) => event.type === 'text').map((event) => event.text);
/**
 * What the tools gave back so far.
 * @param {RunnerProcess} runner
 */
export const results = (runner) => runner.events.filter((event) => event.type === 'tool_result');
/**
 * @param {RunnerProcess} runner
 * @param {string} code
 */
export const notices = (runner, code) =>
  runner.events.filter((event) => event.type === 'notice' && event.code === code);

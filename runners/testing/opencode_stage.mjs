// The real opencode with a home, a workspace and a model of the stand-in, fresh for each test file.

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { randomUUID } from 'node:crypto';
import { cacheRoot } from '../../tests/real_clis/install.mjs';
import { ensurePin } from '../../tests/real_clis/pins.mjs';
import { startStandIn } from '../../tests/standin/standin.mjs';
import { RunnerProcess } from './runner_process.mjs';

/** Longer than others: it starts slowly, and installs what its first start in a home needs. */
const PATIENCE_MS = 120_000;

/** opencode on its stage. */
export class OpencodeStage {
  /** @type {RunnerProcess[]} */ #runners = [];
  sessionId = randomUUID();

  /**
   * @param {string} cli
   * @param {import('../../tests/standin/standin.mjs').StandIn} standIn
   */
  constructor(cli, standIn) {
    this.cli = cli;
    this.standIn = standIn;
    const homes = path.join(cacheRoot(), 'homes');
    mkdirSync(homes, { recursive: true });
    this.root = mkdtempSync(path.join(homes, 'opencode-'));
    this.workspace = path.join(this.root, 'workspace');
    mkdirSync(this.workspace);
    // Otherwise the project would be the one that this folder happens to be in.
    execFileSync('git', ['init', '-q', this.workspace]);
    this.configure({});
  }

  static async set() {
    const { path: cli } = await ensurePin('opencode');
    return new OpencodeStage(cli, await startStandIn());
  }

  /** @param {Record<string, unknown>} more that the user has written into the configuration */
  configure(more) {
    const config = { ...configuration(this.standIn.url), ...more };
    writeFileSync(path.join(this.root, 'opencode.json'), JSON.stringify(config));
  }

  /** @param {Record<string, any>} more */
  query(more) {
    const { sessionId, workspace: cwd, cli } = this;
    return { type: 'query', sessionId, cwd, cli, permissionMode: 'ask', resumeMode: 'new', ...more };
  }

  /** @param {Record<string, string>} [env] */
  runner(env = {}) {
    const own = {
      HOME: this.root,
      OPENCODE_CONFIG: path.join(this.root, 'opencode.json'),
      OPENCODE_DISABLE_MODELS_FETCH: '1',
      OPENCODE_DISABLE_LSP_DOWNLOAD: '1',
      OPENCODE_DISABLE_DEFAULT_PLUGINS: '1',
    };
    const runner = new RunnerProcess('opencode.mjs', { env: { ...own, ...env }, patienceMs: PATIENCE_MS });
    this.#runners.push(runner);
    return runner;
  }

  /** @param {string} name */
  at(name) {
    return path.join(this.workspace, name);
  }

  async clear() {
    await Promise.all(this.#runners.map((runner) => runner.destroy()));
    await this.standIn.close();
    rmSync(this.root, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** @param {string} url */
function configuration(url) {
  const model = {
    name: 'Stand-in',
    reasoning: true,
    tool_call: true,
    attachment: true,
    modalities: { input: ['text', 'image'], output: ['text'] },
    limit: { context: 200_000, output: 8000 },
    cost: { input: 3, output: 15 },
  };
  return {
    model: 'standin/one',
    small_model: 'standin/one',
    share: 'disabled',
    permission: { bash: { 'rm *': 'deny', 'git status*': 'allow' } },
    provider: {
      standin: {
        npm: '@ai-sdk/anthropic',
        name: 'Stand-in',
        options: { baseURL: `${url}/v1`, apiKey: 'no-secret' },
        models: { one: model, two: model },
      },
    },
  };
}

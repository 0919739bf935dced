// A real CLI that talks to the stand-in: its home, its workspace and its environment, fresh for each test.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { randomUUID } from 'node:crypto';
import { ensureRealClis } from '../../tests/real_clis/install.mjs';
import { startStandIn } from '../../tests/standin/standin.mjs';
import { RunnerProcess, runtimesOf } from './runner_process.mjs';

/**
 * @typedef {object} Stage
 * @property {string} cli path
 * @property {string} workspace
 * @property {import('../../tests/standin/standin.mjs').StandIn} standIn
 * @property {(more?: Record<string, any>) => Record<string, any>} query with the fields that every query needs
 * @property {(runtime?: string) => RunnerProcess} runner starts one, under node unless told otherwise; it ends with the stage
 * @property {string[]} otherRuntimes the names of those that are there besides node
 * @property {() => Promise<void>} clear
 */

/**
 * @param {'claude' | 'codex'} provider
 * @param {Record<string, string | undefined>} [env] added to the runner's environment
 * @returns {Promise<Stage>}
 */
export async function setStage(provider, env = {}) {
  const clis = await ensureRealClis();
  const runtimes = runtimesOf(clis);
  const standIn = await startStandIn();
  // Not under the temporary folder: codex refuses to sandbox commands when its home is there.
  const root = mkdtempSync(path.join(clis.home, `${provider}-`));
  const workspace = path.join(root, 'workspace');
  mkdirSync(workspace);
  mkdirSync(path.join(root, '.codex'));
  if (provider === 'codex') writeFileSync(path.join(root, '.codex', 'config.toml'), codexConfig(standIn.url));
  const account = provider === 'claude' ? claudeAccount(standIn.url) : { STANDIN_API_KEY: 'no-secret' };
  /** @type {RunnerProcess[]} */
  const runners = [];
  const sessionId = randomUUID();
  // Another release than the pinned one: OUTRIGGER_TEST_CODEX=/path/to/codex
  const cli = process.env[`OUTRIGGER_TEST_${provider.toUpperCase()}`] || clis.clis[provider].path;
  return {
    cli,
    workspace,
    standIn,
    query: (more = {}) => ({
      type: 'query',
      sessionId,
      cwd: workspace,
      cli,
      permissionMode: 'ask',
      resumeMode: 'new',
      ...more,
    }),
    otherRuntimes: Object.keys(runtimes).filter((name) => name !== 'node'),
    runner: (runtime = process.env.OUTRIGGER_TEST_RUNTIME || 'node') => {
      const runner = new RunnerProcess(`${provider}.mjs`, {
        runtime: runtimes[runtime],
        env: { ...account, HOME: root, ...env },
      });
      runners.push(runner);
      return runner;
    },
    clear: async () => {
      await Promise.all(runners.map((runner) => runner.destroy()));
      await standIn.close();
      rmSync(root, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** @param {string} url */
function claudeAccount(url) {
  return {
    ANTHROPIC_BASE_URL: url,
    ANTHROPIC_API_KEY: 'no-secret',
    CLAUDE_CODE_MAX_RETRIES: '2',
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    DISABLE_AUTOUPDATER: '1',
  };
}

/** @param {string} url */
function codexConfig(url) {
  return `model = "gpt-5.5"
model_provider = "standin"

[model_providers.standin]
name = "stand-in"
base_url = "${url}/v1"
env_key = "STANDIN_API_KEY"
wire_api = "responses"
request_max_retries = 1
stream_max_retries = 1

[analytics]
enabled = false
`;
}

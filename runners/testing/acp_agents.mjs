// A real ACP agent that talks to the stand-in: its home, its workspace, its account and its environment, fresh for each test.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { randomUUID } from 'node:crypto';
import { cacheRoot } from '../../tests/real_clis/install.mjs';
import { ensurePin } from '../../tests/real_clis/pins.mjs';
import { startStandIn } from '../../tests/standin/standin.mjs';
import { RunnerProcess } from './runner_process.mjs';

/**
 * @typedef {object} Agent
 * @property {string[]} args that make it speak ACP
 * @property {(url: string) => Record<string, string>} env its account
 * @property {(url: string) => Record<string, string>} [files] below its home, by path
 */

/** By the name in the table of quirks. @type {Record<string, Agent>} */
export const AGENTS = {
  gemini: {
    args: ['--acp', '-m', 'gemini-2.5-pro'],
    env: (url) => ({ GEMINI_API_KEY: 'no-secret', GOOGLE_GEMINI_BASE_URL: url }),
    files: () => ({
      '.gemini/settings.json': JSON.stringify({
        // A folder that is not trusted gets no MCP servers.
        security: { auth: { selectedType: 'gemini-api-key' }, folderTrust: { enabled: false } },
        privacy: { usageStatisticsEnabled: false },
        general: { disableAutoUpdate: true, disableUpdateNag: true, maxAttempts: 2 },
      }),
    }),
  },
  qwen: {
    args: ['--acp'],
    env: (url) => ({ OPENAI_API_KEY: 'no-secret', OPENAI_BASE_URL: `${url}/v1`, OPENAI_MODEL: 'standin-model' }),
    files: () => ({
      '.qwen/settings.json': JSON.stringify({
        privacy: { usageStatisticsEnabled: false },
        general: { disableAutoUpdate: true, enableAutoUpdate: false },
        // Otherwise the tools of MCP servers are offered to those who search for them only.
        tools: { toolSearch: { enabled: false } },
      }),
    }),
  },
  'claude-acp': {
    args: [],
    env: (url) => ({
      ANTHROPIC_BASE_URL: url,
      ANTHROPIC_API_KEY: 'no-secret',
      CLAUDE_CODE_MAX_RETRIES: '1',
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
      DISABLE_AUTOUPDATER: '1',
    }),
  },
  'codex-acp': {
    args: [],
    env: () => ({ STANDIN_API_KEY: 'no-secret' }),
    files: (url) => ({
      '.codex/config.toml':
        'model = "gpt-5.5"\nmodel_provider = "standin"\n\n[model_providers.standin]\nname = "stand-in"\n' +
        `base_url = "${url}/v1"\nenv_key = "STANDIN_API_KEY"\nwire_api = "responses"\nrequest_max_retries = 1\n` +
        'stream_max_retries = 1\n\n[analytics]\nenabled = false\n',
    }),
  },
};

/** One agent on its stage. */
export class AgentStage {
  /** @type {RunnerProcess[]} */ #runners = [];
  #env;
  sessionId = randomUUID();

  /**
   * @param {string} agent
   * @param {string} cli
   * @param {import('../../tests/standin/standin.mjs').StandIn} standIn
   */
  constructor(agent, cli, standIn) {
    this.agent = agent;
    this.cli = cli;
    this.standIn = standIn;
    // Not under the temporary folder: codex refuses to sandbox commands when its home is there.
    const homes = path.join(cacheRoot(), 'homes');
    mkdirSync(homes, { recursive: true });
    this.root = mkdtempSync(path.join(homes, `${agent}-`));
    this.workspace = path.join(this.root, 'workspace');
    mkdirSync(this.workspace);
    for (const [file, text] of Object.entries(AGENTS[agent].files?.(standIn.url) ?? {})) {
      mkdirSync(path.dirname(path.join(this.root, file)), { recursive: true });
      writeFileSync(path.join(this.root, file), text);
    }
    this.#env = { ...AGENTS[agent].env(standIn.url), HOME: this.root };
  }

  /** @param {string} agent */
  static async set(agent) {
    // Another release than the pinned one: OUTRIGGER_TEST_CLAUDE_ACP=/path/to/claude-agent-acp
    const other = process.env[`OUTRIGGER_TEST_${agent.toUpperCase().replaceAll('-', '_')}`];
    return new AgentStage(agent, other || (await ensurePin(agent)).path, await startStandIn());
  }

  runner() {
    const runner = new RunnerProcess('acp.mjs', { env: this.#env });
    this.#runners.push(runner);
    return runner;
  }

  /** @param {Record<string, any>} more */
  query(more = {}) {
    return {
      type: 'query',
      sessionId: this.sessionId,
      cwd: this.workspace,
      cli: this.cli,
      permissionMode: 'ask',
      resumeMode: 'new',
      providerConfig: { agent: this.agent, args: AGENTS[this.agent].args },
      ...more,
    };
  }

  async clear() {
    await Promise.all(this.#runners.map((runner) => runner.destroy()));
    await this.standIn.close();
    rmSync(this.root, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }
}

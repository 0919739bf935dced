// The ACP runner with a fake agent (tests/fixtures/acp/fake_agent.mjs) in a folder of its own.

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { RunnerProcess } from './runner_process.mjs';

export const FAKE = fileURLToPath(new URL('../../tests/fixtures/acp/fake_agent.mjs', import.meta.url));

const CLOCK = new URL('./clock_ahead.mjs', import.meta.url).href;

/** The modes that the fake agent offers where a test wants some. */
export const MODES = {
  currentModeId: 'auto',
  availableModes: [
    { id: 'default', name: 'Ask' },
    { id: 'auto', name: 'Auto' },
    { id: 'auto-edit', name: 'Auto edit' },
    { id: 'plan', name: 'Plan' },
  ],
};

/**
 * A finished block with these words.
 * @param {string} words
 */
export const said = (words) => (/** @type {any} */ event) => event.type === 'text' && event.text.includes(words);

/** The folder, the runners in it, and their queries. */
export class FakeStage {
  root = mkdtempSync(path.join(os.tmpdir(), 'outrigger-acp-'));
  workspace = path.join(this.root, 'workspace');
  sessionId = randomUUID();
  /** @type {RunnerProcess[]} */ #runners = [];

  constructor() {
    mkdirSync(this.workspace);
  }

  /**
   * @param {Record<string, any>} [offers] what the fake agent offers
   * @param {number} [aheadMs] how far the runner's clock is ahead, in milliseconds
   */
  started(offers = {}, aheadMs = 0) {
    const env = { FAKE_ACP: JSON.stringify(offers), HOME: this.root, TEST_CLOCK_AHEAD_MS: String(aheadMs) };
    const runtime = [process.execPath, '--import', CLOCK];
    const runner = new RunnerProcess('acp.mjs', aheadMs ? { env, runtime } : { env });
    this.#runners.push(runner);
    return runner;
  }

  /** @param {Record<string, any>} more */
  query({ providerConfig, ...more } = {}) {
    return {
      type: 'query',
      sessionId: this.sessionId,
      cwd: this.workspace,
      cli: process.execPath,
      permissionMode: 'ask',
      resumeMode: 'new',
      providerConfig: { args: [FAKE], ...providerConfig },
      ...more,
    };
  }

  async clear() {
    await Promise.all(this.#runners.map((runner) => runner.destroy()));
    rmSync(this.root, { recursive: true, force: true, maxRetries: 5 });
  }
}

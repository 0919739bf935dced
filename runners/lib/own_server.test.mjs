// Outrigger's own server keeps its time limits itself: no CLI gives its calls up before.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { threadSettings } from '../codex/settings.mjs';
import { opencodeEnv } from '../opencode/settings.mjs';
import { OWN_CALL_MS } from './own_server.mjs';

const DAY_S = 24 * 60 * 60;
const mcpServers = {
  outrigger: { type: 'stdio', command: 'outrigger', args: ['mcp'], env: { OUTRIGGER_TOOLS_SOCKET: '/s' } },
  other: { type: 'stdio', command: 'other', args: [], env: {} },
};

test('codex waits for a call of ours as long as it may take, and for others as it does anyway', () => {
  const { config } = /** @type {any} */ (threadSettings({ permissionMode: 'ask', mcpServers }));
  const ours = config['mcp_servers.outrigger'];
  assert.equal(ours.command, 'outrigger');
  assert.equal(ours.startup_timeout_sec, 60);
  assert.equal(ours.tool_timeout_sec > DAY_S, true);
  assert.deepEqual(config['mcp_servers.other'], { command: 'other', args: [], env: {} });
});

test('opencode does too', () => {
  const { mcp } = JSON.parse(opencodeEnv({ mcpServers }).OPENCODE_CONFIG_CONTENT ?? '');
  assert.equal(mcp.outrigger.timeout, OWN_CALL_MS);
  assert.equal(mcp.other.timeout, undefined);
});

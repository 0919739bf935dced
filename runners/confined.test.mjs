// Within a scope that the kernel enforces no CLI sets up a sandbox of its own: it could not, and its commands would all fail.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { QUIRKS } from './acp/quirks.mjs';
import { agentEnv, leftOut } from './acp/settings.mjs';
import { settingsOf } from './claude/command_line.mjs';
import { threadSettings, turnSettings } from './codex/settings.mjs';

const MODES = ['ask', 'acceptEdits', 'plan', 'bypass'];

test('codex has no sandbox of its own, and asks in plan mode about what would hold back nothing else', () => {
  for (const permissionMode of MODES) {
    const free = threadSettings({ permissionMode });
    const confined = threadSettings({ permissionMode, confined: true, providerConfig: { sandbox: 'read-only' } });
    assert.equal(confined.sandbox, 'danger-full-access');
    assert.equal(confined.approvalPolicy, permissionMode === 'plan' ? 'untrusted' : free.approvalPolicy);
    const thread = { writableRoots: [], confined: true };
    assert.deepEqual(turnSettings({ permissionMode }, thread).sandboxPolicy, { type: 'dangerFullAccess' });
  }
  assert.equal(threadSettings({ permissionMode: 'plan' }).sandbox, 'read-only');
  assert.equal(threadSettings({ providerConfig: { sandbox: 'read-only' } }).sandbox, 'read-only');
});

test('claude leaves the sandbox for commands alone that the user may have chosen', () => {
  const settings = { sandbox: { enabled: true, network: {} }, theme: 'dark' };
  assert.deepEqual(settingsOf({ providerConfig: { settings } }), settings);
  const confined = settingsOf({ providerConfig: { settings }, confined: true });
  assert.deepEqual(confined, { sandbox: { enabled: false, network: {} }, theme: 'dark' });
  assert.deepEqual(settingsOf({ confined: true }), { sandbox: { enabled: false } });
  assert.equal(settingsOf({}), undefined);
});

test('gemini and qwen do not move into a sandbox that the environment names', () => {
  for (const quirks of [QUIRKS.gemini, QUIRKS.qwen]) {
    const extraEnv = { GEMINI_SANDBOX: 'docker' };
    assert.equal(agentEnv({ extraEnv }, quirks).GEMINI_SANDBOX, 'docker');
    assert.equal(agentEnv({ extraEnv, confined: true }, quirks).GEMINI_SANDBOX, 'false');
  }
});

test('where an agent keeps its own all the same, that is told and what to use instead', () => {
  const keeping = QUIRKS['codex-acp'];
  assert.match(leftOut({ confined: true }, {}, keeping) ?? '', /sandbox of its own.*provider `codex`/);
  assert.equal(leftOut({}, {}, keeping), null);
  assert.equal(leftOut({ confined: true }, {}, QUIRKS['claude-acp']), null);
});

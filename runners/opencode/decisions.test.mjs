// What the OpenCode runner decides by itself, without the CLI: rules and modes, configuration, models, failures and usage.

import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { RunnerProcess } from '../testing/runner_process.mjs';
import { AgentRules, agentsPastUs, rulesOf } from './agent_rules.mjs';
import { OpencodeUsage, failure } from './outcome.mjs';
import { fits, grantedBy, settled } from './permission.mjs';
import { modelOf, opencodeEnv } from './settings.mjs';

/** opencode's own, which stand before those of the user. */
const BUILT_IN = [
  rule('*', '*', 'allow'),
  rule('external_directory', '*', 'ask'),
  rule('external_directory', '/home/me/.local/share/opencode/tool-output/*', 'allow'),
  rule('read', '*.env', 'ask'),
];
/** This runner's own, which stand behind them. */
const OURS = ['ed?t', 'b?sh', 'webf?tch', 'webs?arch', 'codes?arch', '*_*'].map((name) => rule(name, '*', 'ask'));

/**
 * @param {string} permission
 * @param {string} pattern
 * @param {string} action
 */
function rule(permission, pattern, action) {
  return { permission, pattern, action };
}

describe('rules', () => {
  const config = { permission: { bash: { 'git status*': 'allow', 'rm *': 'deny' }, webfetch: 'deny' } };
  const user = [rule('bash', 'git status*', 'allow'), rule('bash', 'rm *', 'deny'), rule('webfetch', '*', 'deny')];
  const rules = rulesOf({ name: 'build', permission: [...BUILT_IN, ...user, ...OURS] }, config);
  /** @param {Partial<Parameters<typeof settled>[1]>} more */
  const setting = (more) => ({ rules, granted: [], mode: 'ask', folders: [], ...more });
  const bash = (/** @type {string[]} */ ...patterns) => ({ permission: 'bash', patterns, metadata: {} });
  const edit = { permission: 'edit', patterns: ['src/a.txt'], metadata: {} };

  test('the user’s own rules come before every mode, and ours are not among them', () => {
    assert.equal(
      rules.some((one) => one.permission === 'b?sh'),
      false,
    );
    assert.equal(settled(bash('rm -rf x'), setting({ mode: 'bypass' }))?.reply, 'reject');
    assert.equal(settled(bash('git status', 'rm x'), setting({ mode: 'bypass' }))?.reply, 'reject');
    assert.equal(settled({ permission: 'webfetch', patterns: ['https://x'] }, setting({}))?.reply, 'reject');
    assert.equal(settled(bash('git status -s'), setting({}))?.reply, 'once');
    assert.equal(settled(bash('git status', 'ls'), setting({})), null);
    assert.equal(settled(edit, setting({})), null, 'what opencode allows by itself is asked about');
  });

  test('they hold in the order in which the user wrote them, whatever the configuration is told like', () => {
    const told = { permission: { bash: { 'rm *': 'deny' }, '*': 'allow' } };
    const written = [rule('*', '*', 'allow'), rule('bash', 'rm *', 'deny')];
    const inOrder = rulesOf({ name: 'build', permission: [...BUILT_IN, ...written, ...OURS] }, told);
    assert.equal(settled(bash('rm -rf x'), setting({ rules: inOrder }))?.reply, 'reject');
    assert.equal(settled(bash('ls'), setting({ rules: inOrder }))?.reply, 'once');
    assert.equal(settled(edit, setting({ rules: inOrder }))?.reply, 'once');
  });

  test('each agent works by its own: what opencode denies a sub-agent is denied, what it allows one is asked about', () => {
    const only = [rule('*', '*', 'deny'), rule('bash', '*', 'allow')];
    const agents = [
      { name: 'build', permission: [...BUILT_IN, ...OURS] },
      { name: 'explore', permission: [...BUILT_IN, ...only, ...OURS] },
    ];
    const all = new AgentRules(agents, {});
    all.hear({ id: 'm1', sessionID: 'child', agent: 'explore' });
    const asks = (/** @type {string} */ sessionID, messageID = '') => all.of({ sessionID, tool: { messageID } });
    assert.deepEqual(all.names, ['build', 'explore']);
    assert.equal(settled(edit, setting({ rules: asks('child'), mode: 'bypass' }))?.reply, 'reject');
    assert.equal(settled(bash('ls'), setting({ rules: asks('child') })), null);
    assert.equal(settled(edit, setting({ rules: asks('main') })), null);
    assert.equal(
      settled(edit, setting({ rules: asks('main', 'm1') }))?.reply,
      'reject',
      'the message says whose it is',
    );
  });

  test('agents whose own rules stand behind ours are found, and come to ask', () => {
    const free = { name: 'free', permission: [...BUILT_IN, ...OURS, rule('edit', '*', 'allow')] };
    const strict = { name: 'strict', permission: [...BUILT_IN, ...OURS, rule('edit', '*', 'deny')] };
    const kept = [rule('external_directory', '/home/me/.local/share/opencode/tool-output/*', 'allow')];
    const build = { name: 'build', permission: [...BUILT_IN, ...OURS, ...kept] };
    assert.deepEqual(agentsPastUs([free, strict, build]), ['free']);
    const { OPENCODE_CONFIG_CONTENT: text = '' } = opencodeEnv({}, ['free']);
    assert.deepEqual(Object.keys(JSON.parse(text).agent.free.permission).slice(0, 2), ['ed?t', 'b?sh']);
    const again = { name: 'free', permission: [...free.permission, ...OURS] };
    assert.deepEqual(agentsPastUs([again]), []);
    const own = rulesOf(again, { agent: { free: { permission: { edit: 'allow' } } } });
    assert.equal(settled(edit, setting({ rules: own }))?.reply, 'once');
    assert.equal(settled(edit, setting({ rules: own, mode: 'plan' }))?.reply, 'reject');
  });

  test('each mode lets pass what its name says', () => {
    assert.equal(settled(edit, setting({ mode: 'ask' })), null);
    assert.equal(settled(edit, setting({ mode: 'acceptEdits' }))?.reply, 'once');
    assert.equal(settled(bash('ls'), setting({ mode: 'acceptEdits' })), null);
    assert.equal(settled(bash('ls'), setting({ mode: 'bypass' }))?.reply, 'once');
    for (const asked of [edit, bash('ls'), { permission: 'near_echo', patterns: ['*'] }]) {
      assert.match(settled(asked, setting({ mode: 'plan' }))?.message ?? '', /plan mode/);
    }
    const beside = { permission: 'external_directory', patterns: ['/etc/*'] };
    assert.equal(settled(beside, setting({ mode: 'plan' })), null, 'looking elsewhere is asked about');
    assert.equal(settled({ ...beside, patterns: [] }, setting({})), null);
    assert.equal(settled({ permission: 'bash', patterns: [] }, setting({})), null, 'nothing named is nothing allowed');
  });

  test('an answer for the session holds for what it was about, and no further', () => {
    const granted = grantedBy({ ...bash('echo a'), always: ['echo *'] });
    assert.equal(settled(bash('echo b'), setting({ granted }))?.reply, 'once');
    assert.equal(settled(bash('echo b', 'ls'), setting({ granted })), null);
    assert.equal(settled(edit, setting({ granted })), null);
    assert.equal(settled(bash('rm x'), setting({ granted: grantedBy(bash('rm *')) }))?.reply, 'reject');
    assert.equal(settled(bash('ls x'), setting({ granted: grantedBy(bash('ls *')) })), null, 'no pattern was offered');
  });

  test('additional folders are not asked about, those beside them are', () => {
    const at = (/** @type {string} */ folder) => ({
      permission: 'external_directory',
      patterns: [`${folder}/*`],
      metadata: {},
    });
    assert.equal(settled(at('/data/in'), setting({ folders: ['/data'] }))?.reply, 'once');
    assert.equal(settled(at('/database'), setting({ folders: ['/data'] })), null);
    assert.equal(settled(at('/data/../etc'), setting({ folders: ['/data'] })), null);
    assert.equal(settled(at('/home/me/.local/share/opencode/tool-output'), setting({}))?.reply, 'once');
  });
});

test('wildcards', () => {
  assert.deepEqual(
    [fits('git *', 'git'), fits('git *', 'gitk'), fits('*.env', 'a.env'), fits('b?sh', 'bash')],
    [true, false, true, true],
  );
});

test('what is asked about stands after the user’s configuration, and servers read as opencode reads them', () => {
  const { OPENCODE_CONFIG_CONTENT: text = '' } = opencodeEnv({
    mcpServers: {
      a: { command: 'x', args: ['y'], env: { K: 'v' } },
      b: { type: 'http', url: 'https://b', headers: {} },
    },
    providerConfig: { config: { theme: 'dark' } },
  });
  const config = JSON.parse(text);
  assert.equal(config.theme, 'dark');
  assert.deepEqual(config.mcp.a, { type: 'local', command: ['x', 'y'], environment: { K: 'v' } });
  assert.deepEqual(config.mcp.b, { type: 'remote', url: 'https://b', headers: {} });
  assert.equal(config.permission['b?sh'], 'ask');
  const inAWord = opencodeEnv({ providerConfig: { config: { permission: 'deny' } } }).OPENCODE_CONFIG_CONTENT ?? '';
  assert.deepEqual(Object.entries(JSON.parse(inAWord).permission)[0], ['*', 'deny']);
});

test('models, failures and usage', () => {
  assert.deepEqual(modelOf('openrouter/meta/llama'), { providerID: 'openrouter', modelID: 'meta/llama' });
  assert.equal(modelOf('sonnet'), undefined);
  assert.equal(failure({ name: 'ContextOverflowError', data: { message: 'too long' } }).code, 'context_exceeded');
  const busy = failure({ name: 'APIError', data: { message: 'x', statusCode: 529, isRetryable: true } });
  assert.deepEqual([busy.code, busy.retryable], ['overloaded', true]);
  const usage = new OpencodeUsage();
  usage.note({ id: 'm', cost: 0.1, tokens: { input: 5, output: 1 } }, true);
  usage.note({ id: 'm', cost: 0.2, tokens: { input: 5, output: 2, reasoning: 1, cache: { read: 3 } } }, true);
  usage.note({ id: 'child', cost: 0.1, tokens: { input: 100, output: 1 } }, false);
  const turn = usage.ofTurn();
  assert.deepEqual([turn.inputTokens, turn.outputTokens, turn.costUsd, turn.contextUsed], [105, 4, 0.3, 11]);
  assert.equal(usage.ofTurn().inputTokens, 0);
});

test('an opencode that is too old is told as such, with the command that updates it', async () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'outrigger-opencode-'));
  const cli = path.join(folder, 'opencode');
  writeFileSync(cli, '#!/bin/sh\necho 1.17.9\n');
  chmodSync(cli, 0o755);
  const runner = new RunnerProcess('opencode.mjs');
  runner.send({ type: 'query', sessionId: 's', prompt: 'x', cwd: folder, cli, permissionMode: 'ask' });
  const error = await runner.next('agent_error');
  assert.equal(error.code, 'cli_too_old');
  assert.match(
    error.message,
    /is opencode 1\.17\.9; 1\.18\.0 or newer is needed\. Update it with `opencode upgrade`\./,
  );
  assert.equal((await runner.exited).code, 1);
  rmSync(folder, { recursive: true });
});

#!/usr/bin/env node
// The runner for OpenAI's `codex`: drives the user's own CLI as `codex app-server` over JSON-RPC. One process and one
// thread for each session; sub-agents that codex starts are further threads in the same process.
//
// Every line of the server goes to the host as it is, except answers to this runner's own requests.

import { randomUUID } from 'node:crypto';
import { definedOnly } from './lib/agent_lines.mjs';
import { AgentSession } from './lib/agent_session.mjs';
import { endFailure } from './lib/child.mjs';
import { firstVersion } from './lib/cli_version.mjs';
import { RUNNER_VERSION } from './lib/protocol.mjs';
import { runRunner } from './lib/runner.mjs';
import { usableCli } from './lib/usable_cli.mjs';
import { asksToCompact, authOf, offersOf } from './codex/account.mjs';
import { AppServer, RpcError } from './codex/app_server.mjs';
import { reactionTo } from './codex/approval.mjs';
import { CodexUsage, failure, isUnknownConversation, stopReason, unknownConversation } from './codex/outcome.mjs';
import { promptInput, textInput } from './codex/prompt_input.mjs';
import { codexArgs, codexEnv, collaborationMode, threadSettings, turnSettings } from './codex/settings.mjs';

/** The oldest codex whose app-server has threads and turns as this runner uses them. */
const LEAST_VERSION = '0.100.0';

/** How long a stop waits for the interrupted turn's end, for the CLI after its stdin closed, and after SIGTERM. */
const STOP_MS = { turn: 1000, close: 1500, term: 1500 };

/** @typedef {import('./lib/agent_session.mjs').Agent} Agent */

/** @implements {Agent} */
class CodexAgent {
  #session;
  /** @type {AppServer | null} */ #server = null;
  #usage = new CodexUsage();
  /** @type {import('./codex/settings.mjs').TurnChange} */ #change = {};
  /** @type {string[]} */ #writableRoots = [];
  /** What models cost, by name, as the user has told it. @type {Record<string, import('./codex/outcome.mjs').Price>} */
  #prices = {};
  /** Items that are not finished, by id: approvals name only the id. @type {Map<string, Record<string, any>>} */
  #items = new Map();
  /** The request that each of codex's open questions became. @type {Map<string, string>} */
  #asked = new Map();
  #threadId = '';
  /** Settings that hold from the first turn on. @type {Record<string, unknown>} */ #first = {};
  /** Whether the thread has earlier turns, and this runner has heard nothing of the agent yet: what is counted now was used before. */
  #replaying = false;

  /** @param {AgentSession} session */
  constructor(session) {
    this.#session = session;
  }

  get exited() {
    return this.#server?.cli.exited;
  }

  /** @param {Record<string, any>} query */
  async start(query) {
    const { lines } = this.#session;
    const env = codexEnv(query);
    await usableCli(query, { name: 'codex', leastVersion: LEAST_VERSION, update: 'codex update', env });
    if (this.#session.isEnding) return;
    this.#server = this.#spawn(query);
    const about = { name: 'outrigger', title: 'Outrigger', version: RUNNER_VERSION };
    // Cleaning up after an interrupt is behind this capability.
    const capabilities = { experimentalApi: true, requestAttestation: false };
    const greeting = await this.#server.request('initialize', { clientInfo: about, capabilities });
    this.#server.notify('initialized');
    const cliVersion = firstVersion(greeting.userAgent ?? '');
    const { permissionMode, providerConfig = {} } = query;
    this.#writableRoots = query.additionalDirectories ?? [];
    this.#prices = providerConfig.prices ?? {};
    const opened = await this.#openThread(query);
    this.#threadId = opened.thread.id;
    const model = opened.model ?? opened.thread.model;
    lines.started({ nativeSessionId: opened.thread.id, cliVersion, model, permissionMode });
    const { effort } = providerConfig;
    const mode = permissionMode === 'plan' ? collaborationMode('plan', model, effort) : undefined;
    this.#first = { effort, collaborationMode: mode };
    void this.#introduce(opened.modelProvider);
  }

  /**
   * @param {any} error
   * @param {Record<string, any>} query
   */
  startFailure(error, query) {
    const unknown = error instanceof RpcError && isUnknownConversation(error);
    const told = unknown
      ? unknownConversation(query, error.said)
      : { code: 'internal', message: `cannot start a codex session: ${error?.message ?? error}` };
    return { ...told, stderrTail: this.#server?.cli.stderrTail };
  }

  /** @param {Record<string, any>} query */
  async prompt(query) {
    const thread = {
      writableRoots: this.#writableRoots,
      model: this.#session.lines.known.model,
      confined: query.confined,
    };
    const change = { ...this.#first, ...definedOnly(turnSettings(this.#change, thread)) };
    this.#first = {};
    const threadId = this.#threadId;
    try {
      if (asksToCompact(query.prompt)) await this.#server?.request('thread/compact/start', { threadId });
      else {
        this.#change = {};
        await this.#server?.request('turn/start', { threadId, input: promptInput(query), ...change });
      }
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      if (this.#session.isEnding) return;
      this.#session.promptFailed({ code: 'api_error', message: `codex did not take the prompt: ${error.said}` });
    }
  }

  /**
   * @param {string} text
   * @returns {Promise<import('./lib/agent_session.mjs').Taken>}
   */
  async steer(text) {
    const { lines, host } = this.#session;
    if (lines.turnId === null) return 'left';
    const steer = { threadId: this.#threadId, expectedTurnId: lines.turnId, input: [textInput(text)] };
    try {
      await this.#server?.request('turn/steer', steer);
      return 'now';
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      // The turn ended in between, or it is one that takes no messages (a review, a compaction).
      host.log('info', `steer waits for the next turn: ${error.said}`);
      return 'left';
    }
  }

  async interrupt() {
    const threadId = this.#threadId;
    await this.#server?.request('turn/interrupt', { threadId, turnId: this.#session.lines.turnId });
    // The end of a turn leaves its command running; only this ends it.
    try {
      await this.#server?.request('thread/backgroundTerminals/clean', { threadId });
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      this.#session.host.log('warn', `a command of the interrupted turn may still run: ${error.said}`);
    }
  }

  /**
   * @param {import('./codex/approval.mjs').CodexAsk} native
   * @param {Record<string, any>} answer
   */
  answer(native, answer) {
    this.#asked.delete(String(native.rpcId));
    if (!native.form) return this.#server?.answer(native.rpcId, native.result(answer.outcome, answer.message));
    const filled = native.form.answered(answer);
    if ('problem' in filled) return this.#ask(native.form.ask(randomUUID(), filled.problem), native);
    this.#server?.answer(native.rpcId, { content: null, ...filled, _meta: null });
  }

  /** @param {{ model?: string, permissionMode?: any }} change takes effect with the next turn */
  set(change) {
    this.#change = { ...this.#change, ...definedOnly(change) };
    this.#session.lines.started(change);
  }

  end() {
    return this.#server?.cli.end({ closeMs: STOP_MS.close, termMs: STOP_MS.term }) ?? null;
  }

  kill() {
    this.#server?.cli.kill('SIGTERM');
  }

  /**
   * Asks codex what it offers and for whom it works. One that does not know a question says nothing about it.
   * @param {string | undefined} modelProvider
   */
  async #introduce(modelProvider) {
    const server = /** @type {AppServer} */ (this.#server);
    const asked = [
      server.request('model/list', {}).then((told) => this.#session.lines.offers(offersOf(told))),
      server
        .request('account/read', {})
        .then((told) => this.#session.lines.started({ auth: authOf(told, modelProvider) })),
    ];
    for (const answer of await Promise.allSettled(asked)) {
      if (answer.status === 'rejected')
        this.#session.host.log('info', `codex does not say what it offers: ${answer.reason}`);
    }
  }

  /** @param {Record<string, any>} query */
  #spawn(query) {
    const args = codexArgs(query);
    this.#session.host.log('debug', `starting ${query.cli} ${args[0]}`);
    const server = new AppServer(
      { command: query.cli, args, cwd: query.cwd, env: codexEnv(query), pace: () => this.#session.host.ready() },
      {
        onMessage: (message, bytes) => this.#hear(message, bytes),
        onText: (line) => this.#session.host.textLine(this.#session.id, line),
      },
    );
    server.cli.exited.then((exit) =>
      this.#session.exited(exit, endFailure(/** @type {any} */ (query), exit, server.cli)),
    );
    return server;
  }

  /** @param {Record<string, any>} query */
  async #openThread(query) {
    const settings = threadSettings(query);
    const server = /** @type {AppServer} */ (this.#server);
    if (query.resumeMode === 'new' || !query.resumeMode) return server.request('thread/start', settings);
    let threadId = query.resumeSessionId;
    if (query.resumeMode === 'continue') {
      const list = await server.request('thread/list', { cwd: query.cwd, limit: 1, sortKey: 'updated_at' });
      threadId = list.data?.[0]?.id;
      if (!threadId) throw new RpcError('thread/list', { message: `no earlier conversation in ${query.cwd}` });
    }
    // Known from now on: what the thread has used so far may be told together with the answer.
    this.#threadId = threadId;
    this.#replaying = true;
    return server.request('thread/resume', { threadId, excludeTurns: true, ...settings });
  }

  /**
   * @param {Record<string, any>} message
   * @param {Buffer} bytes
   */
  #hear(message, bytes) {
    const params = message.params ?? {};
    if (message.method === 'turn/started' && params.threadId === this.#threadId) this.#turnStarted(params.turn);
    this.#session.host.event(this.#session.id, bytes);
    if (message.id !== undefined) return this.#questioned(message);
    switch (message.method) {
      case 'item/started':
        this.#items.set(params.item.id, params.item);
        if (params.item.type !== 'userMessage') this.#replaying = false;
        break;
      case 'item/completed':
        this.#items.delete(params.item.id);
        break;
      case 'thread/tokenUsage/updated':
        if (params.threadId !== this.#threadId) break;
        this.#usage.note(params.tokenUsage ?? {});
        if (this.#replaying) this.#usage.begin();
        break;
      case 'serverRequest/resolved':
        this.#withdrawn(String(params.requestId));
        break;
      case 'turn/completed':
        if (params.threadId === this.#threadId) this.#turnEnded(params.turn);
    }
  }

  /** @param {{ id: string }} turn */
  #turnStarted(turn) {
    this.#usage.begin();
    this.#session.opened(turn.id);
  }

  /** @param {{ status: string, error?: Record<string, any> | null }} turn */
  #turnEnded(turn) {
    if (turn.status === 'failed' && turn.error) {
      this.#session.lines.failed({ ...failure(turn.error), stderrTail: this.#server?.cli.stderrTail });
    }
    this.#asked.clear();
    this.#items.clear();
    const price = this.#prices[this.#session.lines.known.model ?? ''];
    this.#session.closed(stopReason(turn.status), this.#usage.ofTurn(price));
  }

  /** @param {Record<string, any>} request */
  #questioned(request) {
    const reaction = reactionTo(request, [...this.#items.values()]);
    switch (reaction.kind) {
      case 'ask':
        return this.#ask(reaction.ask, reaction.native);
      case 'refuse':
        this.#session.host.log('warn', reaction.notice);
        return this.#server?.refuse(request.id, reaction.notice);
    }
  }

  /**
   * @param {import('./lib/pending_permissions.mjs').PermissionAsk} ask
   * @param {import('./codex/approval.mjs').CodexAsk} native
   */
  #ask(ask, native) {
    this.#asked.set(String(native.rpcId), ask.requestId);
    this.#session.permissions.ask(ask, native);
  }

  /** @param {string} rpcId a question that codex no longer asks */
  #withdrawn(rpcId) {
    const requestId = this.#asked.get(rpcId);
    if (requestId === undefined) return;
    this.#asked.delete(rpcId);
    this.#session.permissions.cancel(requestId);
  }
}

runRunner({
  provider: 'codex',
  capabilities: {
    steer: true,
    interrupt: true,
    resume: true,
    permissions: true,
    setModel: true,
    images: true,
    mcp: true,
    partials: true,
    cost: false,
  },
  createSession: (host, finish) =>
    new AgentSession(host, finish, { turnMs: STOP_MS.turn, createAgent: (session) => new CodexAgent(session) }),
});

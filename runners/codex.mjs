#!/usr/bin/env node
// The runner for OpenAI's `codex`: drives the user's own CLI as `codex app-server` over JSON-RPC. One process and one
// thread for each session; sub-agents that codex starts are further threads in the same process.
//
// Every line of the server goes to the host as it is, except answers to this runner's own requests.

import { AgentLines, definedOnly } from './lib/agent_lines.mjs';
import { exitFailure, settledWithin, startFailure } from './lib/child.mjs';
import { firstVersion } from './lib/cli_version.mjs';
import { PendingPermissions } from './lib/pending_permissions.mjs';
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

/** @typedef {import('./lib/runner.mjs').AgentSession} AgentSession */

/** @implements {AgentSession} */
class CodexSession {
  #host;
  #finish;
  #lines;
  /** @type {PendingPermissions<import('./codex/approval.mjs').CodexAsk>} */ #permissions;
  /** @type {AppServer | null} */ #server = null;
  #usage = new CodexUsage();
  /** @type {Record<string, any>[]} */ #queue = [];
  /** @type {import('./codex/settings.mjs').TurnChange} */ #change = {};
  /** @type {string[]} */ #writableRoots = [];
  /** What models cost, by name, as the user has told it. @type {Record<string, import('./codex/outcome.mjs').Price>} */
  #prices = {};
  /** Items that are not finished, by id: approvals name only the id. @type {Map<string, Record<string, any>>} */
  #items = new Map();
  /** The request that each of codex's open questions became. @type {Map<string, string>} */
  #asked = new Map();
  #threadId = '';
  /** Whether the thread has earlier turns, and this runner has heard nothing of the agent yet: what is counted now was used before. */
  #replaying = false;
  #starting = false;
  #turnRequested = false;
  #interruptAtStart = false;
  #stopping = false;
  /** @type {() => void} */ #onTurnEnd = () => {};

  /**
   * @param {import('./lib/protocol.mjs').HostChannel} host
   * @param {(exitCode: number) => void} finish
   */
  constructor(host, finish) {
    this.#host = host;
    this.#finish = finish;
    this.#lines = new AgentLines(host);
    this.#permissions = new PendingPermissions(host, () => this.#lines.sessionId);
  }

  /** @param {Record<string, any>} query */
  async query(query) {
    if (!this.#server && !this.#starting) return this.#tryStart(query);
    if (this.#starting || this.#turnRequested || this.#lines.turnId !== null) {
      this.#queue.push(query);
      this.#host.log('info', 'a turn is running; the prompt waits for its end');
      return;
    }
    await this.#prompt(query);
  }

  /** @param {string} text */
  async steer(text) {
    if (!this.#server) throw new Error('no agent is running yet');
    const turnId = this.#lines.turnId;
    if (turnId === null) {
      await this.query({ prompt: text });
      return this.#lines.steerAccepted('now');
    }
    const steer = { threadId: this.#threadId, expectedTurnId: turnId, input: [textInput(text)] };
    try {
      await this.#server.request('turn/steer', steer);
      this.#lines.steerAccepted('now');
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      // The turn ended in between, or it is one that takes no messages (a review, a compaction).
      this.#queue.push({ prompt: text });
      this.#lines.steerAccepted('queued');
      this.#host.log('info', `steer waits for the next turn: ${error.said}`);
      if (this.#lines.turnId === null) await this.#next();
    }
  }

  async interrupt() {
    const turnId = this.#lines.turnId;
    if (this.#turnRequested && turnId === null) {
      this.#interruptAtStart = true;
      return;
    }
    if (!this.#server || turnId === null) return this.#host.log('info', 'interrupt: no turn is running');
    await this.#server.request('turn/interrupt', { threadId: this.#threadId, turnId });
    // The end of a turn leaves its command running; only this ends it.
    try {
      await this.#server.request('thread/backgroundTerminals/clean', { threadId: this.#threadId });
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      this.#host.log('warn', `a command of the interrupted turn may still run: ${error.said}`);
    }
  }

  /** @param {Record<string, any>} answer */
  permissionResponse(answer) {
    const native = this.#permissions.take(answer.requestId);
    if (!native) return;
    this.#asked.delete(String(native.rpcId));
    this.#server?.answer(native.rpcId, native.result(answer.outcome, answer.message));
  }

  /** @param {{ model?: string, permissionMode?: any }} change takes effect with the next turn */
  set(change) {
    this.#change = { ...this.#change, ...definedOnly(change) };
    if (this.#server) this.#lines.started(change);
  }

  async stop() {
    this.#stopping = true;
    this.#queue = [];
    const server = this.#server;
    if (!server) return;
    if (this.#lines.turnId !== null) {
      const turnEnd = new Promise((resolve) => (this.#onTurnEnd = () => resolve(undefined)));
      const interrupted = this.interrupt().catch(() => {});
      await settledWithin(Promise.race([Promise.all([turnEnd, interrupted]), server.cli.exited]), STOP_MS.turn);
    }
    const exit = await server.cli.end({ closeMs: STOP_MS.close, termMs: STOP_MS.term });
    this.#ended(exit);
  }

  kill() {
    this.#server?.cli.kill('SIGTERM');
  }

  /** @param {Record<string, any>} query */
  async #tryStart(query) {
    this.#starting = true;
    this.#lines.sessionId = query.sessionId;
    try {
      if (!(await this.#usable(query))) return this.#finish(1);
      await this.#start(query);
    } catch (error) {
      if (this.#stopping || this.#server === null) return;
      this.#lines.failed({ ...this.#openFailure(error, query), stderrTail: this.#server.cli.stderrTail });
      await this.stop();
      this.#finish(1);
    }
  }

  /**
   * @param {unknown} error
   * @param {Record<string, any>} query
   * @returns {import('./lib/agent_lines.mjs').AgentError}
   */
  #openFailure(error, query) {
    if (error instanceof RpcError && isUnknownConversation(error)) return unknownConversation(query, error.said);
    const said = /** @type {any} */ (error)?.message ?? String(error);
    return { code: 'internal', message: `cannot start a codex session: ${said}` };
  }

  /** @param {Record<string, any>} query */
  async #start(query) {
    this.#server = this.#spawn(query);
    const about = { name: 'outrigger', title: 'Outrigger', version: RUNNER_VERSION };
    // Cleaning up after an interrupt is behind this capability.
    const capabilities = { experimentalApi: true, requestAttestation: false };
    const greeting = await this.#server.request('initialize', { clientInfo: about, capabilities });
    this.#server.notify('initialized');
    const cliVersion = firstVersion(greeting.userAgent ?? '');
    query = { ...query, ...this.#change };
    const effort = query.providerConfig?.effort;
    this.#writableRoots = query.additionalDirectories ?? [];
    this.#prices = query.providerConfig?.prices ?? {};
    const opened = await this.#openThread(query);
    this.#threadId = opened.thread.id;
    const model = opened.model ?? opened.thread.model;
    this.#lines.started({
      nativeSessionId: opened.thread.id,
      cliVersion,
      model,
      permissionMode: query.permissionMode,
    });
    const mode = query.permissionMode === 'plan' ? collaborationMode('plan', model, effort) : undefined;
    this.#change = {};
    this.#starting = false;
    void this.#introduce(opened.modelProvider);
    await this.#prompt(query, { effort, collaborationMode: mode });
  }

  /**
   * Asks codex what it offers and for whom it works. One that does not know a question says nothing about it.
   * @param {string | undefined} modelProvider
   */
  async #introduce(modelProvider) {
    const server = /** @type {AppServer} */ (this.#server);
    const asked = [
      server.request('model/list', {}).then((told) => this.#lines.offers(offersOf(told))),
      server.request('account/read', {}).then((told) => this.#lines.started({ auth: authOf(told, modelProvider) })),
    ];
    for (const answer of await Promise.allSettled(asked)) {
      if (answer.status === 'rejected') this.#host.log('info', `codex does not say what it offers: ${answer.reason}`);
    }
  }

  /** @param {Record<string, any>} query */
  #spawn(query) {
    const args = codexArgs(query);
    this.#host.log('debug', `starting ${query.cli} ${args[0]}`);
    const server = new AppServer(
      { command: query.cli, args, cwd: query.cwd, env: codexEnv(query), pace: () => this.#host.ready() },
      {
        onMessage: (message, bytes) => this.#hear(message, bytes),
        onText: (line) => this.#host.textLine(this.#lines.sessionId, line),
      },
    );
    server.cli.exited.then((exit) => this.#exited(exit, query));
    return server;
  }

  /**
   * @param {Record<string, any>} query
   * @returns {Promise<boolean>} whether this CLI can be used; if not, the host was told why
   */
  async #usable(query) {
    const about = { name: 'codex', leastVersion: LEAST_VERSION, update: 'codex update', env: codexEnv(query) };
    const { problem } = await usableCli(query, about);
    if (problem) this.#lines.failed(problem);
    return !problem && !this.#stopping;
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
   * @param {Record<string, any>} query
   * @param {Record<string, unknown>} [more] settings that hold from this turn on
   */
  async #prompt(query, more = {}) {
    const thread = { writableRoots: this.#writableRoots, model: this.#lines.known.model };
    const change = { ...more, ...definedOnly(turnSettings(this.#change, thread)) };
    this.#turnRequested = true;
    const threadId = this.#threadId;
    try {
      if (asksToCompact(query.prompt)) await this.#server?.request('thread/compact/start', { threadId });
      else {
        this.#change = {};
        await this.#server?.request('turn/start', { threadId, input: promptInput(query), ...change });
      }
    } catch (error) {
      if (this.#stopping || !(error instanceof RpcError)) throw error;
      this.#lines.failed({ code: 'api_error', message: `codex did not take the prompt: ${error.said}` });
      // The host waits for a turn; it gets one that failed.
      this.#lines.openTurn();
      this.#lines.closeTurn('error');
    } finally {
      this.#turnRequested = false;
    }
  }

  /** Starts the next waiting prompt. */
  async #next() {
    const next = this.#stopping ? undefined : this.#queue.shift();
    if (next) await this.#prompt(next);
  }

  /**
   * @param {Record<string, any>} message
   * @param {Buffer} bytes
   */
  #hear(message, bytes) {
    const params = message.params ?? {};
    if (message.method === 'turn/started' && params.threadId === this.#threadId) this.#turnStarted(params.turn);
    this.#host.event(this.#lines.sessionId, bytes);
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
    this.#turnRequested = false;
    this.#lines.openTurn(turn.id);
    if (!this.#interruptAtStart) return;
    this.#interruptAtStart = false;
    this.interrupt().catch((error) => this.#host.error(`interrupt failed: ${error.message}`, 'interrupt'));
  }

  /** @param {{ status: string, error?: Record<string, any> | null }} turn */
  #turnEnded(turn) {
    if (turn.status === 'failed' && turn.error) {
      this.#lines.failed({ ...failure(turn.error), stderrTail: this.#server?.cli.stderrTail });
    }
    this.#permissions.cancelAll();
    this.#asked.clear();
    this.#items.clear();
    this.#lines.closeTurn(stopReason(turn.status), this.#usage.ofTurn(this.#prices[this.#lines.known.model ?? '']));
    this.#onTurnEnd();
    void this.#next();
  }

  /** @param {Record<string, any>} request */
  #questioned(request) {
    const reaction = reactionTo(request, [...this.#items.values()]);
    switch (reaction.kind) {
      case 'ask':
        this.#asked.set(String(request.id), reaction.ask.requestId);
        return this.#permissions.ask(reaction.ask, reaction.native);
      case 'answer':
        this.#host.log('warn', reaction.notice);
        return this.#server?.answer(request.id, reaction.result);
      case 'refuse':
        this.#host.log('warn', reaction.notice);
        return this.#server?.refuse(request.id, reaction.notice);
    }
  }

  /** @param {string} rpcId a question that codex no longer asks */
  #withdrawn(rpcId) {
    const requestId = this.#asked.get(rpcId);
    if (requestId === undefined) return;
    this.#asked.delete(rpcId);
    this.#permissions.cancel(requestId);
  }

  /**
   * @param {import('./lib/child.mjs').CliExit} exit
   * @param {Record<string, any>} query
   */
  #exited(exit, query) {
    if (this.#stopping) return;
    if (exit.error) this.#lines.failed(startFailure(query.cli, query.cwd, exit.error));
    else this.#lines.failed(exitFailure(query.cli, exit, this.#server?.cli ?? null));
    this.#ended(exit);
    this.#finish(1);
  }

  /** @param {import('./lib/child.mjs').CliExit} exit */
  #ended(exit) {
    this.#permissions.cancelAll();
    this.#lines.ended(exit, this.#stopping);
    this.#server = null;
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
  createSession: (host, finish) => new CodexSession(host, finish),
});

#!/usr/bin/env node
// The runner for any agent that speaks the Agent Client Protocol (ACP) over its stdin and stdout. One process and one conversation
// for each session. In what agents differ is data, in acp/quirks.mjs; which one is driven, and with which arguments, says the
// manifest's `providerConfig`.
//
// Every line of the agent goes to the host as it is, also answers, except an earlier conversation that it tells again.

import { AgentLines } from './lib/agent_lines.mjs';
import { exitFailure, settledWithin, startFailure } from './lib/child.mjs';
import { RpcChild, RpcError } from './lib/json_rpc.mjs';
import { PendingPermissions } from './lib/pending_permissions.mjs';
import { runRunner } from './lib/runner.mjs';
import { Blocks } from './acp/blocks.mjs';
import { Choices } from './acp/choices.mjs';
import { ClientRequests, INVALID_PARAMS } from './acp/client_requests.mjs';
import { Conversation } from './acp/conversation.mjs';
import { NOTICE, OwnEvents } from './acp/own_events.mjs';
import { greet } from './acp/greeting.mjs';
import { AcpUsage, failure, wordsOf } from './acp/outcome.mjs';
import { CANCELLED, answerOfMode, answerTo, askOf } from './acp/permission.mjs';
import { quirksOf } from './acp/quirks.mjs';
import { agentArgs, agentEnv, instructionsBefore, leftOut, promptBlocks } from './acp/settings.mjs';
import { startFailureOf, unusable } from './acp/start_failure.mjs';
import { ToolCalls } from './acp/tool_calls.mjs';
import { Turn } from './acp/turn.mjs';

/** How long a stop waits for the cancelled turn's end, for the agent after its stdin closed, and after SIGTERM, in milliseconds. */
const STOP_MS = { turn: 800, close: 1000, term: 1200 };
/** How long an agent that goes on after the end of its stdin is left alone before SIGTERM, in milliseconds. */
const IGNORES_END_MS = 100;
/** How long a cancelled turn may take to end before people are told that it does not, in milliseconds. */
const CANCEL_MS = 10_000;

/** @typedef {import('./lib/runner.mjs').AgentSession} AgentSession */

/** @implements {AgentSession} */
class AcpSession {
  #host;
  #finish;
  #lines;
  #own;
  /** @type {PendingPermissions<import('./acp/permission.mjs').AcpAsk>} */ #permissions;
  /** The agent's requests that wait for an answer of the host, by ours. @type {Map<string, number | string>} */
  #asked = new Map();
  /** @type {RpcChild | null} */ #agent = null;
  /** @type {Started | null} */ #started = null;
  #blocks;
  #calls = new ToolCalls();
  #choices = new Choices();
  #quirks = quirksOf(undefined);
  /** What the agent offers for signing in. @type {Record<string, any>[]} */ #authMethods = [];
  /** @type {ClientRequests | null} */ #client = null;
  /** @type {Conversation | null} */ #conversation = null;
  /** @type {Record<string, any>[]} */ #queue = [];
  /** @type {{ model?: string, permissionMode?: string }} */ #change = {};
  #mode = 'ask';
  #starting = false;
  /** Stands in front of the next prompt: instructions of ours that the agent takes in no other way. */
  #instructions = '';
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
    this.#own = new OwnEvents(host, () => this.#lines.sessionId);
    this.#blocks = new Blocks((block) => this.#own.block(block));
    this.#permissions = new PendingPermissions(host, () => this.#lines.sessionId);
  }

  /** @param {Record<string, any>} query */
  async query(query) {
    if (!this.#agent && !this.#starting) {
      this.#queue.push(query);
      return this.#tryStart(query);
    }
    if (this.#starting || !this.#started || this.#started.turn.running) {
      this.#queue.push(query);
      this.#host.log('info', 'a turn is running; the prompt waits for its end');
      return;
    }
    await this.#prompt(query);
  }

  /** @param {string} text */
  async steer(text) {
    const started = this.#started;
    if (!started) throw new Error('no agent is running yet');
    if (!started.turn.running) {
      this.#lines.steerAccepted('now');
      return this.#prompt({ prompt: text });
    }
    if (await this.#steerNow(started, text)) return this.#lines.steerAccepted('now');
    this.#queue.push({ prompt: text });
    this.#lines.steerAccepted('queued');
    if (!started.turn.running) await this.#next();
  }

  async interrupt() {
    if (this.#starting) return this.#dropWaiting();
    const started = this.#started;
    if (!started?.turn.running) return this.#host.log('info', 'interrupt: no turn is running');
    this.#cancel(started);
    const ended = new Promise((resolve) => (this.#onTurnEnd = () => resolve(undefined)));
    if (await settledWithin(Promise.race([ended, started.agent.cli.exited]), CANCEL_MS)) return;
    const seconds = CANCEL_MS / 1000;
    this.#own.notice(
      NOTICE.warning,
      'cancel_ignored',
      `${this.#quirks.name} has not ended its turn ${seconds} s after it was cancelled. Stop the session to end it.`,
    );
  }

  /** @param {Record<string, any>} answer */
  permissionResponse(answer) {
    const native = this.#permissions.take(answer.requestId);
    if (!native) return;
    this.#asked.delete(answer.requestId);
    this.#answer(native, answer.outcome);
    if (answer.message) this.#host.log('info', 'ACP carries no words with an answer; the message was not passed on');
  }

  /** @param {{ model?: string, permissionMode?: string }} change */
  async set(change) {
    if (!this.#started) {
      Object.assign(this.#change, change.model && { model: change.model });
      Object.assign(this.#change, change.permissionMode && { permissionMode: change.permissionMode });
      return;
    }
    if (change.permissionMode) await this.#setMode(change.permissionMode);
    if (change.model) await this.#setModel(change.model);
  }

  async stop() {
    this.#stopping = true;
    this.#queue = [];
    const agent = this.#agent;
    if (!agent) return;
    if (this.#started?.turn.running) {
      const turnEnd = new Promise((resolve) => (this.#onTurnEnd = () => resolve(undefined)));
      this.#cancel(this.#started);
      await settledWithin(Promise.race([turnEnd, agent.cli.exited]), STOP_MS.turn);
    }
    this.#client?.terminals.killAll();
    const closeMs = this.#quirks.ignoresEnd ? IGNORES_END_MS : STOP_MS.close;
    this.#ended(await agent.cli.end({ closeMs, termMs: STOP_MS.term }));
  }

  kill() {
    this.#client?.terminals.killAll();
    this.#agent?.cli.kill('SIGTERM');
  }

  /** @param {Record<string, any>} query */
  async #tryStart(query) {
    this.#starting = true;
    this.#lines.sessionId = query.sessionId;
    this.#quirks = quirksOf(query.providerConfig?.agent);
    this.#calls.nameEndsAt = this.#quirks.nameEndsAt;
    const problem = unusable(query, this.#quirks);
    if (problem) {
      this.#lines.failed(problem);
      return this.#finish(1);
    }
    try {
      await this.#start(query);
    } catch (error) {
      if (this.#stopping || this.#agent === null) return;
      const failed = startFailureOf(error, query, this.#quirks.name, this.#authMethods);
      this.#lines.failed({ ...failed, stderrTail: this.#agent.cli.stderrTail });
      await this.stop();
      this.#finish(1);
    }
  }

  /** @param {Record<string, any>} query */
  async #start(query) {
    const agent = this.#spawn(query);
    this.#agent = agent;
    const about = await greet(agent, query, this.#quirks);
    this.#authMethods = about.authMethods ?? [];
    const capabilities = about.agentCapabilities ?? {};
    const directories = query.additionalDirectories ?? [];
    this.#client = new ClientRequests(
      { cwd: query.cwd, directories, env: agentEnv(query, this.#quirks) },
      this.#told(),
    );
    const left = leftOut(query, capabilities, this.#quirks);
    if (left) this.#own.notice(NOTICE.warning, 'not_offered', left);
    const opened = await this.#open(query, agent, capabilities);
    this.#choices.learn(opened);
    this.#lines.offers(this.#choices.offers);
    const usage = new AcpUsage(this.#quirks);
    usage.learn(opened.models);
    if (query.resumeMode !== 'new' && query.resumeMode) usage.resumed();
    const turn = new Turn({
      agent,
      lines: this.#lines,
      usage,
      quirks: this.#quirks,
      authMethods: this.#authMethods,
      sessionId: opened.sessionId,
      onEnd: (reason) => this.#turnEnded(reason),
    });
    this.#started = { agent, turn, usage, sessionId: opened.sessionId, capabilities, steering: about._meta?.steering };
    this.#lines.started({
      nativeSessionId: opened.sessionId,
      cliVersion: about.agentInfo?.version,
      model: this.#choices.model,
    });
    await this.#setMode(this.#change.permissionMode ?? query.permissionMode ?? 'ask');
    const model = this.#change.model ?? query.model;
    if (model) await this.#setModel(model);
    this.#instructions = instructionsBefore(query, capabilities);
    this.#starting = false;
    await this.#next();
  }

  /**
   * @param {Record<string, any>} query
   * @param {RpcChild} agent
   * @param {Record<string, any>} capabilities
   */
  async #open(query, agent, capabilities) {
    const tell = (/** @type {string} */ notice) => this.#own.notice(NOTICE.info, 'agent', notice);
    this.#conversation = new Conversation(agent, capabilities, this.#quirks, tell);
    const { authMethod } = query.providerConfig ?? {};
    try {
      return await this.#conversation.open(query);
    } catch (error) {
      const wantsSignIn = error instanceof RpcError && failure(error, '', []).code === 'auth';
      if (!wantsSignIn || !authMethod) throw error;
      await agent.request('authenticate', { methodId: authMethod });
      return this.#conversation.open(query);
    }
  }

  /** @param {Record<string, any>} query */
  #spawn(query) {
    const args = agentArgs(query, this.#quirks);
    this.#host.log('debug', `starting ${[query.cli, ...args].join(' ')}`);
    const { cli, cwd } = query;
    const agent = new RpcChild(
      { command: cli, args, cwd, env: agentEnv(query, this.#quirks), pace: () => this.#host.ready() },
      {
        onMessage: (message, bytes) => this.#hear(message, bytes),
        onText: (line) => this.#host.textLine(this.#lines.sessionId, line),
        onAnswer: (_answer, bytes, method) => {
          if (method === 'session/prompt') this.#blocks.end();
          this.#host.event(this.#lines.sessionId, bytes);
        },
      },
      { name: this.#quirks.name, versioned: true },
    );
    agent.cli.exited.then((exit) => this.#exited(exit, query));
    return agent;
  }

  /** @returns {import('./acp/terminals.mjs').Told} */
  #told() {
    return {
      output: (id, text) => this.#own.terminalOutput(id, this.#calls.shownBy(id), text),
      exit: (id, end) => this.#own.terminalExit(id, this.#calls.shownBy(id), end),
      pace: () => this.#host.ready(),
    };
  }

  /** @param {Record<string, any>} query */
  async #prompt(query) {
    const started = this.#started;
    if (!started || this.#stopping) return;
    const { capabilities, turn } = started;
    if (this.#conversation?.replayed)
      this.#host.log('info', `the agent told ${this.#conversation.replayed} updates of the earlier conversation again`);
    this.#conversation?.goesOn();
    this.#blocks.end();
    this.#client?.terminals.beginTurn();
    const tell = (/** @type {string} */ notice) => this.#own.notice(NOTICE.warning, 'not_offered', notice);
    const whole = { ...query, prompt: `${this.#instructions}${query.prompt}` };
    this.#instructions = '';
    await turn.prompt(promptBlocks(whole, capabilities.promptCapabilities ?? {}, tell));
  }

  /** The agent has heard of no prompt while it starts, which may take a minute: nothing of it needs to be waited for. */
  #dropWaiting() {
    if (this.#queue.length === 0) return this.#host.log('info', 'interrupt: no prompt waits for the start');
    this.#queue = [];
    this.#lines.openTurn();
    this.#lines.closeTurn('interrupted');
  }

  /** Sends the next waiting prompt. */
  async #next() {
    const next = this.#stopping ? undefined : this.#queue.shift();
    if (next) await this.#prompt(next);
  }

  /**
   * @param {Started} started
   * @param {string} text
   * @returns {Promise<boolean>} whether the running turn has taken it
   */
  async #steerNow({ agent, turn, sessionId, steering }, text) {
    const prompt = [{ type: 'text', text }];
    if (steering?.supported) {
      const meta = { steering: { idleBehavior: 'promptRequired' } };
      const taken = await agent.request('_session/steering', { sessionId, prompt, _meta: meta }).catch(() => ({}));
      return taken.outcome === 'injected';
    }
    if (this.#quirks.secondPrompt !== 'steers') return false;
    void turn.prompt(prompt);
    return true;
  }

  /** @param {Started} started */
  #cancel({ agent, sessionId }) {
    agent.notify('session/cancel', { sessionId });
    // The protocol wants every open question answered then.
    for (const rpcId of this.#asked.values()) agent.answer(rpcId, CANCELLED);
    this.#asked.clear();
    this.#permissions.cancelAll();
    void this.#client?.terminals.endTurn();
  }

  /** @param {string} mode one of ours */
  async #setMode(mode) {
    try {
      await this.#chooseMode(mode);
    } catch (error) {
      // Where less is asked the runner can give the answers itself; where less is to be done it cannot.
      if (!(error instanceof RpcError) || mode === 'plan' || mode === 'ask') throw error;
      await this.#chooseMode('ask');
      const text = `${this.#quirks.name} does not go into its mode for this (${wordsOf(error)}); its questions are answered here.`;
      this.#own.notice(NOTICE.info, 'mode', text);
    }
    this.#isIn(mode);
  }

  /** @param {string} mode */
  async #chooseMode(mode) {
    const request = this.#choices.modeRequest(mode, this.#quirks.modes?.[/** @type {'ask'} */ (mode)]);
    if (request) await this.#choose(request);
  }

  /** @param {string} mode one of ours, in which the agent works from now on */
  #isIn(mode) {
    this.#mode = mode;
    if (this.#client) this.#client.mode = mode;
    this.#lines.started({ permissionMode: /** @type {'ask'} */ (mode) });
  }

  /** @param {string} model */
  async #setModel(model) {
    const request = this.#choices.modelRequest(model);
    if (request) await this.#choose(request);
    this.#lines.started({ model: this.#choices.model });
  }

  /** @param {import('./acp/choices.mjs').Request} request */
  async #choose(request) {
    const { agent, sessionId } = /** @type {Started} */ (this.#started);
    const answer = await agent.request(request.method, { sessionId, ...request.params });
    this.#choices.took(request);
    if (answer.configOptions) this.#choices.hear({ sessionUpdate: 'config_option_update', ...answer });
    this.#lines.offers(this.#choices.offers);
  }

  /**
   * @param {Record<string, any>} message
   * @param {Buffer} bytes
   */
  #hear(message, bytes) {
    const update = message.method === 'session/update' ? (message.params?.update ?? {}) : null;
    if (update && this.#conversation?.isReplay(update)) return;
    const { missing, changes = false } = this.#calls.hear(message);
    this.#blocks.hear(message, changes);
    if (missing) this.#own.toolCallBegan(missing.id, missing.name);
    this.#host.event(this.#lines.sessionId, bytes);
    if (!this.#started?.turn.running) this.#blocks.endSoon();
    if (message.id !== undefined && message.id !== null) return this.#questioned(message);
    if (message.method.endsWith('auth/status_update')) this.#lines.started({ auth: message.params?.authStatus?.label });
    if (!update) return;
    this.#choices.hear(update);
    // It may change by itself, as when a plan is approved.
    if (update.currentModeId && this.#started)
      this.#isIn(this.#choices.meaningOf(update.currentModeId, this.#quirks.modes));
    if (update.availableCommands || update.configOptions) this.#lines.offers(this.#choices.offers);
    this.#started?.usage.hear(update);
    this.#started?.turn.hear(update);
  }

  /** @param {Record<string, any>} request */
  #questioned(request) {
    if (request.method === 'session/request_permission') return this.#permission(request);
    const answer = this.#client?.answer(request.method, request.params ?? {});
    if (!answer) {
      this.#host.log('warn', `the agent asked for ${request.method}, which this runner does not offer`);
      return this.#agent?.refuse(request.id, `this client does not offer ${request.method}`);
    }
    answer.then(
      (result) => this.#agent?.answer(request.id, result),
      (error) => this.#agent?.refuse(request.id, String(error?.message ?? error), INVALID_PARAMS),
    );
  }

  /** @param {Record<string, any>} request */
  #permission(request) {
    const { ask, native } = askOf(request, this.#calls.get(request.params?.toolCall?.toolCallId));
    const own = answerOfMode(this.#mode, ask.kind);
    if (own) {
      this.#host.log('info', `mode ${this.#mode} answers ${own} to: ${ask.title}`);
      return this.#answer(native, own);
    }
    this.#asked.set(ask.requestId, native.rpcId);
    this.#permissions.ask(ask, native);
  }

  /**
   * @param {import('./acp/permission.mjs').AcpAsk} native
   * @param {import('./lib/pending_permissions.mjs').Outcome} outcome
   */
  #answer(native, outcome) {
    if (native.toolCallId && !['allow', 'allowAlways'].includes(outcome)) this.#own.toolCallDenied(native.toolCallId);
    this.#agent?.answer(native.rpcId, answerTo(native, outcome));
  }

  /** @param {string} reason the agent's word for it */
  #turnEnded(reason) {
    this.#permissions.cancelAll();
    this.#asked.clear();
    if (reason === 'cancelled' && this.#quirks.commandsOutliveCancel)
      this.#own.notice(
        NOTICE.info,
        'agent',
        `A command that ${this.#quirks.name} was running may run on; it ends with the session.`,
      );
    this.#onTurnEnd();
    void this.#next();
  }

  /**
   * @param {import('./lib/child.mjs').CliExit} exit
   * @param {Record<string, any>} query
   */
  #exited(exit, query) {
    if (this.#stopping) return;
    this.#blocks.end();
    if (exit.error) this.#lines.failed(startFailure(query.cli, query.cwd, exit.error));
    else this.#lines.failed(exitFailure(query.cli, exit, this.#agent?.cli ?? null));
    this.#client?.terminals.killAll();
    this.#ended(exit);
    this.#finish(1);
  }

  /** @param {import('./lib/child.mjs').CliExit} exit */
  #ended(exit) {
    this.#blocks.end();
    this.#permissions.cancelAll();
    this.#lines.closeTurn(this.#stopping ? 'interrupted' : 'error');
    this.#lines.stopped(exit);
    this.#agent = null;
    this.#started = null;
  }
}

/**
 * @typedef {object} Started
 * @property {RpcChild} agent
 * @property {Turn} turn
 * @property {AcpUsage} usage
 * @property {string} sessionId the agent's own
 * @property {Record<string, any>} capabilities
 * @property {{ supported?: boolean } | undefined} steering an extension: a message into the running turn
 */

runRunner({
  provider: 'acp',
  capabilities: {
    steer: true,
    interrupt: true,
    resume: true,
    permissions: true,
    setModel: true,
    images: true,
    mcp: true,
    partials: true,
    cost: true,
  },
  createSession: (host, finish) => new AcpSession(host, finish),
});

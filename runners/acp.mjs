#!/usr/bin/env node
// The runner for any agent that speaks the Agent Client Protocol (ACP) over its stdin and stdout. One process and one conversation
// for each session. In what agents differ is data, in acp/quirks.mjs; which one is driven, and with which arguments, says the
// manifest's `providerConfig`.
//
// Every line of the agent goes to the host as it is, also answers, except an earlier conversation that it tells again.

import { AgentSession, CannotStart } from './lib/agent_session.mjs';
import { endFailure, settledWithin } from './lib/child.mjs';
import { RpcChild, RpcError } from './lib/json_rpc.mjs';
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

/** @typedef {import('./lib/agent_session.mjs').Agent} Agent */

/** @implements {Agent} */
class AcpAgent {
  #session;
  #own;
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
  #mode = 'ask';
  /** Stands in front of the next prompt: instructions of ours that the agent takes in no other way. */
  #instructions = '';

  /** @param {AgentSession} session */
  constructor(session) {
    this.#session = session;
    this.#own = new OwnEvents(session.host, () => session.id);
    this.#blocks = new Blocks((block) => this.#own.block(block));
  }

  get exited() {
    return this.#agent?.cli.exited;
  }

  /** @param {Record<string, any>} query */
  async start(query) {
    this.#quirks = quirksOf(query.providerConfig?.agent);
    this.#calls.nameEndsAt = this.#quirks.nameEndsAt;
    const problem = unusable(query, this.#quirks);
    if (problem) throw new CannotStart(problem);
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
    this.#session.lines.offers(this.#choices.offers);
    const usage = new AcpUsage(this.#quirks);
    usage.learn(opened.models);
    if (query.resumeMode !== 'new' && query.resumeMode) usage.resumed();
    const turn = new Turn({
      agent,
      session: this.#session,
      usage,
      quirks: this.#quirks,
      authMethods: this.#authMethods,
      sessionId: opened.sessionId,
      onEnd: (reason) => this.#turnEnds(reason),
    });
    this.#started = { agent, turn, usage, sessionId: opened.sessionId, capabilities, steering: about._meta?.steering };
    this.#session.lines.started({
      nativeSessionId: opened.sessionId,
      cliVersion: about.agentInfo?.version,
      model: this.#choices.model,
    });
    await this.#setMode(query.permissionMode ?? 'ask');
    if (query.model) await this.#setModel(query.model);
    this.#instructions = instructionsBefore(query, capabilities);
  }

  /**
   * @param {unknown} error
   * @param {Record<string, any>} query
   */
  startFailure(error, query) {
    const failed = startFailureOf(error, query, this.#quirks.name, this.#authMethods);
    return { ...failed, stderrTail: this.#agent?.cli.stderrTail };
  }

  /** @param {Record<string, any>} query */
  async prompt(query) {
    const { capabilities, turn } = /** @type {Started} */ (this.#started);
    if (this.#conversation?.replayed)
      this.#session.host.log(
        'info',
        `the agent told ${this.#conversation.replayed} updates of the earlier conversation again`,
      );
    this.#conversation?.goesOn();
    this.#blocks.end();
    this.#client?.terminals.beginTurn();
    const tell = (/** @type {string} */ notice) => this.#own.notice(NOTICE.warning, 'not_offered', notice);
    const whole = { ...query, prompt: `${this.#instructions}${query.prompt}` };
    this.#instructions = '';
    await turn.prompt(promptBlocks(whole, capabilities.promptCapabilities ?? {}, tell));
  }

  /**
   * @param {string} text
   * @returns {Promise<import('./lib/agent_session.mjs').Taken>}
   */
  async steer(text) {
    return (await this.#steerNow(/** @type {Started} */ (this.#started), text)) ? 'now' : 'left';
  }

  async interrupt() {
    this.#cancel(/** @type {Started} */ (this.#started));
    if (await settledWithin(this.#session.turnEnd(), CANCEL_MS)) return;
    const seconds = CANCEL_MS / 1000;
    this.#own.notice(
      NOTICE.warning,
      'cancel_ignored',
      `${this.#quirks.name} has not ended its turn ${seconds} s after it was cancelled. Stop the session to end it.`,
    );
  }

  /**
   * @param {import('./acp/permission.mjs').AcpAsk} native
   * @param {Record<string, any>} answer
   */
  answer(native, { requestId, outcome, message }) {
    this.#asked.delete(requestId);
    this.#answer(native, outcome);
    if (message) this.#session.host.log('info', 'ACP carries no words with an answer; the message was not passed on');
  }

  /** @param {import('./lib/agent_session.mjs').Change} change */
  async set({ model, permissionMode }) {
    if (permissionMode) await this.#setMode(permissionMode);
    if (model) await this.#setModel(model);
  }

  async end() {
    this.#client?.terminals.killAll();
    const closeMs = this.#quirks.ignoresEnd ? IGNORES_END_MS : STOP_MS.close;
    const exit = await this.#agent?.cli.end({ closeMs, termMs: STOP_MS.term });
    this.#blocks.end();
    return exit ?? null;
  }

  kill() {
    this.#client?.terminals.killAll();
    this.#agent?.cli.kill('SIGTERM');
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
    this.#session.host.log('debug', `starting ${[query.cli, ...args].join(' ')}`);
    const { cli, cwd } = query;
    const agent = new RpcChild(
      { command: cli, args, cwd, env: agentEnv(query, this.#quirks), pace: () => this.#session.host.ready() },
      {
        onMessage: (message, bytes) => this.#hear(message, bytes),
        onText: (line) => this.#session.host.textLine(this.#session.id, line),
        onAnswer: (_answer, bytes, method) => {
          if (method === 'session/prompt') this.#blocks.end();
          this.#session.host.event(this.#session.id, bytes);
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
      pace: () => this.#session.host.ready(),
    };
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
    this.#session.permissions.cancelAll();
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
    this.#session.lines.started({ permissionMode: /** @type {'ask'} */ (mode) });
  }

  /** @param {string} model */
  async #setModel(model) {
    const request = this.#choices.modelRequest(model);
    if (request) await this.#choose(request);
    this.#session.lines.started({ model: this.#choices.model });
  }

  /** @param {import('./acp/choices.mjs').Request} request */
  async #choose(request) {
    const { agent, sessionId } = /** @type {Started} */ (this.#started);
    const answer = await agent.request(request.method, { sessionId, ...request.params });
    this.#choices.took(request);
    if (answer.configOptions) this.#choices.hear({ sessionUpdate: 'config_option_update', ...answer });
    this.#session.lines.offers(this.#choices.offers);
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
    this.#session.host.event(this.#session.id, bytes);
    if (!this.#started?.turn.running) this.#blocks.endSoon();
    if (message.id !== undefined && message.id !== null) return this.#questioned(message);
    if (message.method.endsWith('auth/status_update'))
      this.#session.lines.started({ auth: message.params?.authStatus?.label });
    if (!update) return;
    this.#choices.hear(update);
    // It may change by itself, as when a plan is approved.
    if (update.currentModeId && this.#started)
      this.#isIn(this.#choices.meaningOf(update.currentModeId, this.#quirks.modes));
    if (update.availableCommands || update.configOptions) this.#session.lines.offers(this.#choices.offers);
    this.#started?.usage.hear(update);
    this.#started?.turn.hear(update);
  }

  /** @param {Record<string, any>} request */
  #questioned(request) {
    if (request.method === 'session/request_permission') return this.#permission(request);
    const answer = this.#client?.answer(request.method, request.params ?? {});
    if (!answer) {
      this.#session.host.log('warn', `the agent asked for ${request.method}, which this runner does not offer`);
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
      this.#session.host.log('info', `mode ${this.#mode} answers ${own} to: ${ask.title}`);
      return this.#answer(native, own);
    }
    this.#asked.set(ask.requestId, native.rpcId);
    this.#session.permissions.ask(ask, native);
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
  #turnEnds(reason) {
    this.#asked.clear();
    if (reason === 'cancelled' && this.#quirks.commandsOutliveCancel)
      this.#own.notice(
        NOTICE.info,
        'agent',
        `A command that ${this.#quirks.name} was running may run on; it ends with the session.`,
      );
  }

  /**
   * @param {import('./lib/child.mjs').CliExit} exit
   * @param {Record<string, any>} query
   */
  #exited(exit, query) {
    if (this.#session.isEnding) return;
    this.#blocks.end();
    this.#client?.terminals.killAll();
    this.#session.exited(exit, endFailure(/** @type {any} */ (query), exit, this.#agent?.cli ?? null));
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
  createSession: (host, finish) =>
    new AgentSession(host, finish, { turnMs: STOP_MS.turn, createAgent: (session) => new AcpAgent(session) }),
});

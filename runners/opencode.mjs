#!/usr/bin/env node
// The runner for OpenCode: drives the user's own CLI as `opencode serve`, one server for each session, over HTTP on the
// loopback interface. Not over ACP, where a question of a sub-agent never arrives and the turn hangs.
//
// Every event of the server goes to the host as it is, those of sub-agents too.

import { AgentSession } from './lib/agent_session.mjs';
import { endFailure, settledWithin } from './lib/child.mjs';
import { runRunner } from './lib/runner.mjs';
import { usableCli } from './lib/usable_cli.mjs';
import { OpencodeUsage, failure, isAbort, stopReason } from './opencode/outcome.mjs';
import { AgentRules, agentsPastUs } from './opencode/agent_rules.mjs';
import { NOBODY_ASKED, grantedBy, question, replyTo, settled } from './opencode/permission.mjs';
import { OpencodeServer, ServerRefusal } from './opencode/server.mjs';
import { modelOf, opencodeEnv, promptBody } from './opencode/settings.mjs';

/** The oldest opencode whose server speaks as this runner understands it. */
const LEAST_VERSION = '1.18.0';

/** How long a stop waits for the interrupted turn's end, and for the server after SIGTERM, in milliseconds. */
const STOP_MS = { turn: 3000, term: 2500 };

/** After a failure or an interrupt opencode says twice that it is idle; a prompt in between would be lost. In milliseconds. */
const SETTLE_MS = 1000;

/** A question about a tool of an MCP server comes just before what the tool is called with. In milliseconds. */
const INPUT_MS = 1000;

/** @typedef {import('./lib/agent_session.mjs').Agent} Agent */

/** @implements {Agent} */
class OpencodeAgent {
  #session;
  /** @type {OpencodeServer | null} */ #server = null;
  /** @type {Record<string, any> | null} */ #first = null;
  #usage = new OpencodeUsage();
  #rules = new AgentRules([], {});
  /** What the user allowed for the rest of the session. @type {import('./opencode/agent_rules.mjs').Rule[]} */
  #granted = [];
  /** Who waits for what a call is called with. @type {Map<string, (input: any) => void>} */ #inputs = new Map();
  /** Questions that were answered here. @type {Set<string>} */ #answered = new Set();
  #sessionId = '';
  #mode = 'ask';
  /** @type {string | undefined} */ #model;
  /** Whether the server has begun to work on the open turn: an end that comes before is an earlier turn's. */
  #busy = false;
  #failed = false;
  #interrupting = false;
  #settling = false;
  /** Called when the session is idle. @type {() => void} */ #onIdle = () => {};
  /** Why the last message ended. @type {string | undefined} */ #finishReason;

  /** @param {AgentSession} session */
  constructor(session) {
    this.#session = session;
  }

  get exited() {
    return this.#server?.cli.exited;
  }

  /** @param {Record<string, any>} query */
  async start(query) {
    const { host } = this.#session;
    this.#first = query;
    this.#mode = query.permissionMode ?? this.#mode;
    this.#model = query.model;
    const about = { name: 'opencode', leastVersion: LEAST_VERSION, update: 'opencode upgrade', env: process.env };
    await usableCli(query, about);
    let { version, agents } = await this.#serve(query);
    const past = agentsPastUs(agents);
    if (past.length > 0) {
      host.log('info', `opencode starts once more, to be asked by ${past.join(', ')} too`);
      await this.#replaced();
      ({ version, agents } = await this.#serve(query, past));
    }
    const server = /** @type {OpencodeServer} */ (this.#server);
    const config = await server.call('GET', '/config');
    this.#rules = new AgentRules(agents, config);
    const { id, model } = await this.#openSession(query);
    this.#sessionId = id;
    this.#model ??= model ? `${model.providerID}/${model.id}` : config.model;
    this.#session.lines.started({ nativeSessionId: id, cliVersion: version, model: this.#model });
    await this.#learnContext();
  }

  /**
   * @param {any} error
   * @param {Record<string, any>} query
   */
  startFailure(error, query) {
    return { ...openFailure(error, query), stderrTail: this.#server?.cli.stderrTail };
  }

  /** @param {Record<string, any>} query */
  async prompt(query) {
    this.#busy = false;
    this.#failed = false;
    this.#finishReason = undefined;
    this.#session.opened();
    try {
      await this.#send(query);
    } catch (error) {
      if (this.#session.isEnding) return;
      const message = `opencode did not take the prompt: ${/** @type {any} */ (error)?.message ?? error}`;
      this.#session.lines.failed({ code: 'api_error', message });
      this.#endTurn('error');
    }
  }

  /**
   * It goes to the model with the next question to it, in the same turn.
   * @param {string} text
   * @returns {Promise<import('./lib/agent_session.mjs').Taken>}
   */
  async steer(text) {
    await this.#send({ prompt: text });
    return 'queued';
  }

  async interrupt() {
    if (this.#interrupting) return;
    this.#interrupting = true;
    try {
      // Also ends the command that runs: a signal to the server would leave it.
      await this.#server?.call('POST', `/session/${this.#sessionId}/abort`);
      if (!this.#session.isEnding) await this.#settled();
    } finally {
      this.#interrupting = false;
      this.#endTurn('interrupted');
    }
  }

  /**
   * @param {(answer: Record<string, any>) => Promise<unknown>} send
   * @param {Record<string, any>} answer
   */
  answer(send, answer) {
    return send(answer);
  }

  /** @param {{ model?: string, permissionMode?: string }} change the mode holds at once, the model from the next prompt on */
  set({ model, permissionMode }) {
    if (permissionMode) this.#mode = permissionMode;
    if (!model) return;
    if (!modelOf(model)) throw new Error(`${model} is no model of opencode; name it as provider/model`);
    this.#model = model;
    this.#session.lines.started({ model });
    void this.#learnContext();
  }

  end() {
    return this.#server?.cli.end({ closeMs: 0, termMs: STOP_MS.term }) ?? null;
  }

  kill() {
    this.#server?.cli.kill('SIGTERM');
  }

  usageSoFar() {
    return this.#usage.ofTurn();
  }

  /**
   * Starts a server.
   * @param {Record<string, any>} query
   * @param {string[]} [asking] agents that are to ask although the user's rules for them do not
   */
  async #serve(query, asking) {
    const { cli: command, cwd } = query;
    this.#session.host.log('debug', `starting ${command} serve`);
    const server = new OpencodeServer(
      { command, cwd, env: opencodeEnv(query, asking), pace: () => this.#session.host.ready() },
      {
        onEvent: (event, bytes) => this.#hear(event, bytes),
        onText: (line) => this.#session.host.textLine(this.#session.id, line),
        onGap: () => void this.#afterGap(),
      },
    );
    this.#server = server;
    void server.cli.exited.then((exit) => this.#server === server && this.#exited(exit, query));
    const { version } = await server.ready();
    return { version, agents: await server.call('GET', '/agent') };
  }

  /** Ends a server that another one takes the place of. */
  async #replaced() {
    const server = /** @type {OpencodeServer} */ (this.#server);
    this.#server = null;
    await server.cli.end({ closeMs: 0, termMs: STOP_MS.term });
  }

  /** @param {Record<string, any>} query */
  async #openSession({ resumeMode, resumeSessionId, cwd }) {
    const server = /** @type {OpencodeServer} */ (this.#server);
    switch (resumeMode) {
      case 'resume':
        return server.call('GET', `/session/${encodeURIComponent(resumeSessionId)}`);
      case 'continue': {
        const [latest] = await server.call('GET', '/session?roots=true&limit=1');
        if (!latest) throw new UnknownConversation(`there is no earlier conversation in ${cwd}`);
        return latest;
      }
      default:
        return server.call('POST', '/session', {});
    }
  }

  /** How much the model can hold stands in the server's catalogue. */
  async #learnContext() {
    const wanted = modelOf(this.#model);
    if (!wanted) return;
    const { providers = [] } = (await this.#server?.call('GET', '/config/providers').catch(() => null)) ?? {};
    const provider = providers.find((/** @type {any} */ one) => one.id === wanted.providerID);
    this.#usage.contextSize = provider?.models?.[wanted.modelID]?.limit?.context || undefined;
  }

  /** @param {Record<string, any>} query */
  #send(query) {
    const first = /** @type {Record<string, any>} */ (this.#first);
    const body = promptBody(query, { model: this.#model, mode: this.#mode, first, agents: this.#rules.names });
    return /** @type {OpencodeServer} */ (this.#server).call('POST', `/session/${this.#sessionId}/prompt_async`, body);
  }

  /**
   * @param {Record<string, any>} event
   * @param {Buffer} bytes
   */
  #hear(event, bytes) {
    const properties = event.properties ?? {};
    const isMain = properties.sessionID === this.#sessionId;
    const isBusy = event.type === 'session.status' && properties.status?.type === 'busy';
    if (isMain && isBusy && this.#sessionId !== '') {
      // A message that came right at the end of a turn begins another one.
      this.#session.opened();
      this.#busy = true;
    }
    this.#session.host.event(this.#session.id, bytes);
    switch (event.type) {
      case 'message.part.updated':
        if (properties.part?.state?.status === 'running')
          this.#inputs.get(properties.part.callID)?.(properties.part.state.input);
        return;
      case 'message.updated':
        return this.#messageUpdated(properties.info ?? {}, isMain);
      case 'session.error':
        return isMain ? this.#sessionFailed(properties.error) : undefined;
      case 'session.idle':
        return isMain ? this.#idle() : undefined;
      case 'permission.asked':
        return void this.#asked(properties, isMain);
      case 'permission.replied':
        return this.#replied(properties);
      case 'question.asked':
        return this.#questioned(properties);
      case 'question.replied':
      case 'question.rejected':
        return this.#session.permissions.cancel(properties.requestID);
    }
  }

  #idle() {
    this.#onIdle();
    if (!this.#busy || this.#interrupting || this.#settling) return;
    if (!this.#failed) return this.#endTurn(stopReason(this.#finishReason));
    void this.#settled().then(() => this.#endTurn('error'));
  }

  /** Waits until opencode says once more that it is idle, or for a moment. */
  async #settled() {
    this.#settling = true;
    await settledWithin(new Promise((resolve) => (this.#onIdle = () => resolve(undefined))), SETTLE_MS);
    this.#settling = false;
  }

  /**
   * @param {Record<string, any>} info
   * @param {boolean} isMain
   */
  #messageUpdated(info, isMain) {
    if (info.role !== 'assistant') return;
    this.#rules.hear(info);
    this.#usage.note(info, isMain);
    if (!isMain) return;
    this.#finishReason = info.finish ?? this.#finishReason;
    if (info.modelID) this.#session.lines.started({ model: `${info.providerID}/${info.modelID}` });
  }

  /** @param {Record<string, any> | undefined} error */
  #sessionFailed(error) {
    if (isAbort(error) || this.#interrupting) return;
    this.#failed = true;
    this.#busy = true;
    this.#session.lines.failed({ ...failure(error ?? {}), stderrTail: this.#server?.cli.stderrTail });
  }

  /**
   * @param {Record<string, any>} asked
   * @param {boolean} isMain
   */
  async #asked(asked, isMain) {
    const folders = this.#first?.additionalDirectories ?? [];
    const rules = this.#rules.of(asked);
    const answer = settled(asked, { rules, granted: this.#granted, mode: this.#mode, folders });
    if (answer) return void this.#reply(asked.id, answer);
    const says = Object.keys(asked.metadata ?? {}).length > 0;
    const called = says ? undefined : await this.#inputOf(asked.tool?.callID);
    if (this.#interrupting) return;
    // A sub-agent can outlive the turn; without an answer it would wait for ever.
    if (!this.#session.isWorking) return void this.#reply(asked.id, NOBODY_ASKED);
    this.#session.permissions.ask(question(asked, called, !isMain), (/** @type {Record<string, any>} */ given) => {
      if (given.outcome === 'allowAlways') this.#granted.push(...grantedBy(asked));
      return this.#reply(asked.id, replyTo(given));
    });
  }

  /**
   * @param {string} callId
   * @returns {Promise<any>} undefined when it is not told soon
   */
  async #inputOf(callId) {
    /** @type {any} */ let input;
    await settledWithin(
      new Promise((resolve) => this.#inputs.set(callId, (told) => resolve((input = told)))),
      INPUT_MS,
    );
    this.#inputs.delete(callId);
    return input;
  }

  /**
   * @param {string} id
   * @param {import('./opencode/permission.mjs').Reply} answer
   */
  async #reply(id, answer) {
    this.#answered.add(id);
    await this.#server?.call('POST', `/permission/${id}/reply`, answer).catch((error) => {
      // What was asked is no longer waited for.
      if (!this.#session.isEnding)
        this.#session.host.log('warn', `the answer to ${id} was not taken: ${error.message}`);
    });
  }

  /**
   * Commands of the agent find the server's password in their environment: an answer that was not given here is theirs.
   * A denial is none, because opencode denies with one question all others of the session.
   * @param {{ requestID: string, reply: string }} replied
   */
  #replied({ requestID, reply }) {
    this.#session.permissions.cancel(requestID);
    if (this.#answered.delete(requestID) || reply === 'reject') return;
    const message =
      'a permission was given by somebody else than you; the turn was interrupted. See what the agent has run.';
    this.#session.lines.failed({ code: 'internal', message });
    void this.#session.interrupt();
  }

  /**
   * A question with choices; the answer is in `updatedInput.answers`, by question.
   * @param {Record<string, any>} asked
   */
  #questioned({ id, questions = [], tool }) {
    const ask = {
      requestId: id,
      toolCallId: tool?.callID,
      toolName: 'question',
      title: String(questions[0]?.question ?? 'A question').slice(0, 200),
      kind: /** @type {const} */ ('other'),
      input: { questions },
      options: [
        { outcome: /** @type {const} */ ('allow'), label: 'Answer' },
        { outcome: /** @type {const} */ ('deny'), label: 'Do not answer' },
      ],
    };
    this.#session.permissions.ask(ask, async (/** @type {Record<string, any>} */ { outcome, updatedInput }) => {
      const given = updatedInput?.answers;
      if (outcome !== 'allow' || !given) return this.#server?.call('POST', `/question/${id}/reject`);
      const answers = questions.map((/** @type {any} */ one) => [given[one.question] ?? []].flat().map(String));
      return this.#server?.call('POST', `/question/${id}/reply`, { answers });
    });
  }

  /** Something was missed: if the turn's end was, it is caught up on. */
  async #afterGap() {
    this.#session.host.log('warn', 'the stream of events broke off and was opened again');
    const status = await this.#server?.call('GET', '/session/status').catch(() => null);
    if (status && !status[this.#sessionId]) this.#endTurn(stopReason(this.#finishReason));
  }

  /** @param {import('./lib/agent_lines.mjs').StopReason} reason */
  #endTurn(reason) {
    if (!this.#session.isWorking && !this.#session.isEnding) return;
    this.#busy = false;
    const failed = this.#failed;
    this.#failed = false;
    this.#session.closed(failed ? 'error' : reason, this.#usage.ofTurn());
  }

  /**
   * @param {import('./lib/child.mjs').CliExit} exit
   * @param {Record<string, any>} query
   */
  #exited(exit, query) {
    this.#session.exited(exit, endFailure(/** @type {any} */ (query), exit, this.#server?.cli ?? null));
  }
}

/** The conversation that was to be resumed is not there. */
class UnknownConversation extends Error {}

/**
 * @param {any} error
 * @param {Record<string, any>} query
 * @returns {import('./lib/agent_lines.mjs').AgentError}
 */
function openFailure(error, { resumeMode, resumeSessionId }) {
  const said = error?.message ?? String(error);
  const missing = resumeMode === 'resume' && error instanceof ServerRefusal && [400, 404].includes(error.status);
  if (!missing && !(error instanceof UnknownConversation)) {
    return { code: 'internal', message: `cannot start an opencode session: ${said}` };
  }
  const which = missing ? `opencode no longer knows the conversation ${resumeSessionId} (${said})` : said;
  const message = `${which}. Nothing was sent to it; the next prompt begins a new conversation.`;
  return { code: 'conversation_unknown', message };
}

runRunner({
  provider: 'opencode',
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
    new AgentSession(host, finish, { turnMs: STOP_MS.turn, createAgent: (session) => new OpencodeAgent(session) }),
});

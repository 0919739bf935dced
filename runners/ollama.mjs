#!/usr/bin/env node
// The runner for Ollama: an agent of its own around a model that a local (or other) Ollama server runs. Ollama gives words
// and wishes for tools; the loop, the tools, the permissions and the memory are here.
//
// Every line of the server's stream goes to the host as it is; besides these there are events of this runner's own, which
// have a `type`: finished blocks, tool calls and their results, notices.

import { AgentSession, CannotStart } from './lib/agent_session.mjs';
import { McpTools } from './lib/mcp_tools.mjs';
import { runRunner } from './lib/runner.mjs';
import { killCommands } from './ollama/command.mjs';
import { Conversation, UnknownConversation, placeOf } from './ollama/conversation.mjs';
import { listed, modelMissing, noModel, toldFailure } from './ollama/failure.mjs';
import { StandingAnswers } from './ollama/permission.mjs';
import { Unsendable, systemPrompt, userMessage } from './ollama/prompt.mjs';
import { Scope } from './ollama/scope.mjs';
import { OllamaFailure, OllamaServer, addressOf, isSame } from './ollama/server.mjs';
import { Tools } from './ollama/tools.mjs';
import { Turn, TurnFailed } from './ollama/turn.mjs';

/** How long a stop waits for the interrupted turn, in milliseconds. */
const STOP_MS = 4000;
/** With a smaller context, in tokens, work with tools soon comes to its end. */
const SMALL_CONTEXT = 8192;

/** @typedef {import('./lib/agent_session.mjs').Agent} Agent */
/** @typedef {import('./ollama/server.mjs').ModelFacts} ModelFacts */

/** @implements {Agent} */
class OllamaAgent {
  #session;
  /** @type {Record<string, any>} */ #first = {};
  /** @type {string[]} */ #steers = [];
  #interrupt = new AbortController();
  #answers = new StandingAnswers();
  #mode = 'ask';
  #model = '';
  /** @type {string | undefined} */ #version;
  /** @type {import('./ollama/server.mjs').Model[]} */ #models = [];
  /** What is known of the model in use; null before it was asked for. @type {ModelFacts | null} */ #facts = null;
  /** @type {number | undefined} */ #contextSize;
  /** @type {number | undefined} */ #contextUsed;
  /** @type {OllamaServer} */ #server = new OllamaServer(addressOf());
  /** @type {Conversation | null} */ #conversation = null;
  /** @type {Tools | null} */ #tools = null;

  /** @param {AgentSession} session */
  constructor(session) {
    this.#session = session;
  }

  /** @param {Record<string, any>} query */
  async start(query) {
    this.#first = query;
    this.#mode = query.permissionMode ?? this.#mode;
    this.#model = query.model ?? '';
    this.#server = new OllamaServer(addressOf(query.providerConfig?.host ?? process.env.OLLAMA_HOST));
    this.#conversation = await this.#remember(query);
    this.#conversation.onProblem((error) => {
      const text = `This conversation cannot be kept on disk, so it cannot be resumed later: ${error.message}`;
      this.#notice('warning', 'not_kept', text);
    });
    this.#started();
  }

  /** @param {any} error */
  startFailure(error) {
    return { code: 'internal', message: `cannot begin the conversation: ${error?.message ?? error}` };
  }

  /** @param {Record<string, any>} query */
  prompt(query) {
    void this.#turn(query);
  }

  /**
   * @param {string} text
   * @returns {import('./lib/agent_session.mjs').Taken}
   */
  steer(text) {
    this.#steers.push(text);
    return 'queued';
  }

  interrupt() {
    this.#interrupt.abort(new Error('interrupted'));
  }

  /**
   * @param {(answer: import('./ollama/turn.mjs').Answer) => void} resolve
   * @param {Record<string, any>} answer
   */
  answer(resolve, { outcome, message, updatedInput }) {
    resolve({ outcome, message, updatedInput });
  }

  /** @param {import('./lib/agent_session.mjs').Change} change the mode holds at once, the model from the next turn on */
  set({ model, permissionMode }) {
    if (permissionMode) this.#mode = permissionMode;
    if (!model || model === this.#model) return;
    this.#model = model;
    this.#facts = null;
    this.#started();
  }

  async end() {
    await this.#tools?.close();
    await this.#conversation?.settled();
    return this.#conversation ? { code: 0, signal: null } : null;
  }

  kill() {
    killCommands();
  }

  /**
   * @param {Record<string, any>} query
   * @returns {Promise<Conversation>} to go on with
   */
  async #remember(query) {
    const place = placeOf(query.stateDir);
    try {
      if (query.resumeMode === 'resume') return await Conversation.resume(place, String(query.resumeSessionId));
      if (query.resumeMode === 'continue') return await Conversation.latest(place, query.cwd);
      return Conversation.begin(place, query.cwd);
    } catch (error) {
      if (!(error instanceof UnknownConversation)) throw error;
      const message = `${error.message}. Nothing was sent; the next prompt begins a new conversation.`;
      throw new CannotStart({ code: 'conversation_unknown', message });
    }
  }

  #started() {
    const { id: nativeSessionId } = /** @type {Conversation} */ (this.#conversation);
    this.#session.lines.started({ nativeSessionId, cliVersion: this.#version, model: this.#model || undefined });
  }

  /** @param {Record<string, any>} query */
  async #turn(query) {
    this.#interrupt = new AbortController();
    this.#session.opened();
    /** @type {Turn | null} */
    let turn = null;
    const reason = await (async () => {
      await this.#connect();
      const message = await userMessage({ cwd: this.#first.cwd, ...query }, this.#can('vision'));
      turn = new Turn(this.#setting(query));
      await turn.run(message);
      return /** @type {const} */ ('endTurn');
    })().catch((error) => this.#broken(error));
    this.#session.permissions.cancelAll();
    const usage = /** @type {Partial<Turn['usage']>} */ (/** @type {Turn | null} */ (turn)?.usage ?? {});
    await this.#learnContext();
    this.#contextUsed = usage.contextUsed ?? this.#contextUsed;
    await this.#conversation?.settled();
    const told = { ...usage, contextUsed: this.#contextUsed, contextSize: this.#contextSize };
    // A steer that came too late is not lost: it becomes the next prompt.
    this.#session.closed(reason, told, { late: this.#steers.splice(0) });
  }

  /** Finds out what the server is and has, before the first turn and after a change of the model. */
  async #connect() {
    if (this.#facts) return;
    const query = this.#first;
    const isNew = this.#version === undefined;
    if (isNew) {
      this.#version = (await this.#server.version()) ?? 'unknown';
      this.#models = await this.#server.models();
    }
    if (!this.#model) this.#model = this.#models[0]?.name ?? '';
    if (!this.#model) throw new TurnFailed(noModel(), 'error');
    this.#facts = await this.#server.show(this.#model);
    if (isNew) {
      const have = this.#models.length > 0 ? `; it has ${listed(this.#models)}` : '';
      this.#notice('info', 'models', `Ollama ${this.#version} at ${this.#server.url}, model ${this.#model}${have}.`);
    }
    this.#contextSize = query.providerConfig?.numCtx ?? this.#facts.numCtx;
    if (this.#can('tools') === false) {
      const text = `${this.#model} cannot use tools: it can talk, but neither read nor change files. Take a model that can, e.g. \`ollama pull qwen3\`.`;
      this.#notice('warning', 'no_tools', text);
    }
    this.#tools ??= await this.#openTools(query);
    this.#started();
  }

  /** @param {Record<string, any>} query */
  async #openTools(query) {
    const env = { ...process.env, ...query.extraEnv };
    const servers = query.mcpServers ?? {};
    const mcp = Object.keys(servers).length > 0 ? await McpTools.open(servers, query.cwd, env) : null;
    return new Tools(new Scope(query.cwd, query.additionalDirectories), env, mcp);
  }

  /**
   * @param {'tools' | 'thinking' | 'vision'} capability
   * @returns {boolean | undefined} undefined when the server does not tell
   */
  #can(capability) {
    return this.#facts?.capabilities?.includes(capability);
  }

  /**
   * @param {Record<string, any>} query
   * @returns {import('./ollama/turn.mjs').Setting}
   */
  #setting(query) {
    const { signal } = this.#interrupt;
    return {
      conversation: /** @type {Conversation} */ (this.#conversation),
      tools: /** @type {Tools} */ (this.#tools),
      answers: this.#answers,
      signal,
      steers: this.#steers,
      maxRounds: query.maxTurns ?? this.#first.maxTurns,
      contextSize: this.#contextSize,
      mode: () => this.#mode,
      chat: (messages) => this.#server.chat(this.#request(messages), signal),
      emit: (event) =>
        this.#session.host.event(this.#session.id, event instanceof Uint8Array ? event : JSON.stringify(event)),
      text: (line) => this.#session.host.textLine(this.#session.id, line),
      pace: () => this.#session.host.ready(),
      ask: (ask) => this.#ask(ask, signal),
    };
  }

  /**
   * @param {import('./ollama/conversation.mjs').Message[]} messages
   * @returns {Record<string, unknown>} the body of a chat request
   */
  #request(messages) {
    const query = this.#first;
    const { think, options, numCtx, keepAlive } = query.providerConfig ?? {};
    const hasTools = this.#can('tools') !== false;
    const system = { role: 'system', content: systemPrompt(/** @type {any} */ (query), hasTools) };
    return {
      model: this.#model,
      messages: [system, ...messages],
      tools: hasTools ? this.#tools?.offered : undefined,
      think: think ?? (this.#can('thinking') ? true : undefined),
      options: numCtx === undefined ? options : { ...options, num_ctx: numCtx },
      keep_alive: keepAlive,
      // Without these the server silently drops the beginning of a conversation that is too long.
      truncate: false,
      shift: false,
    };
  }

  /**
   * @param {import('./lib/pending_permissions.mjs').PermissionAsk} ask
   * @param {AbortSignal} signal
   * @returns {Promise<import('./ollama/turn.mjs').Answer>} a denial when the turn ended before there was an answer
   */
  #ask(ask, signal) {
    return new Promise((resolve) => {
      this.#session.permissions.ask(ask, resolve);
      signal.addEventListener('abort', () => resolve({ outcome: 'deny' }), { once: true });
    });
  }

  /** What the server really gives the model is known once it is loaded. */
  async #learnContext() {
    if (this.#first.providerConfig?.numCtx !== undefined || !this.#facts || this.#session.isEnding) return;
    const size = await this.#server.loadedContext(this.#model).catch(() => undefined);
    if (size === undefined || size === this.#contextSize) return;
    this.#contextSize = size;
    if (size >= SMALL_CONTEXT || this.#can('tools') === false) return;
    const text =
      `The server gives ${this.#model} a context of ${size} tokens, which is little for work with tools. ` +
      'Set `numCtx` in the settings of this provider, or OLLAMA_CONTEXT_LENGTH for the server.';
    this.#notice('warning', 'small_context', text);
  }

  /**
   * @param {any} error that ended a turn
   * @returns {import('./lib/agent_lines.mjs').StopReason}
   */
  #broken(error) {
    if (this.#interrupt.signal.aborted) return 'interrupted';
    if (error instanceof TurnFailed) {
      this.#session.lines.failed(error.error);
      return error.reason;
    }
    this.#session.lines.failed(this.#told(error));
    return 'error';
  }

  /**
   * @param {any} error
   * @returns {import('./lib/agent_lines.mjs').AgentError}
   */
  #told(error) {
    const about = { url: this.#server.url, model: this.#model, models: this.#models, contextSize: this.#contextSize };
    if (error instanceof OllamaFailure) {
      const missing = error.status === 404 && !this.#models.some(({ name }) => isSame(name, this.#model));
      return missing ? modelMissing(this.#model, this.#models) : toldFailure(error, about);
    }
    if (error instanceof Unsendable) return { code: 'api_error', message: error.message };
    return { code: 'internal', message: `the turn failed: ${error?.stack ?? error}` };
  }

  /**
   * @param {'info' | 'warning'} level
   * @param {string} code
   * @param {string} text
   */
  #notice(level, code, text) {
    this.#session.host.event(this.#session.id, JSON.stringify({ type: 'notice', level, code, text }));
  }
}

runRunner({
  provider: 'ollama',
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
    new AgentSession(host, finish, { turnMs: STOP_MS, createAgent: (session) => new OllamaAgent(session) }),
});

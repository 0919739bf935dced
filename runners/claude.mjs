#!/usr/bin/env node
// The runner for Anthropic's `claude`: drives the user's own CLI in stream-json both ways, with its control protocol for
// permission prompts, interrupts and changes of model and mode. One long-lived CLI process for each session.
//
// Every line of the CLI goes to the host as it is; this file only reads from them what the protocol asks for.

import { randomUUID } from 'node:crypto';
import { AgentSession } from './lib/agent_session.mjs';
import { CliChild, endFailure } from './lib/child.mjs';
import { Form } from './lib/forms.mjs';
import { parseObject } from './lib/lossless.mjs';
import { runRunner } from './lib/runner.mjs';
import { usableCli } from './lib/usable_cli.mjs';
import { authOf, offersOf } from './claude/account.mjs';
import { LEAST_VERSION, claudeArgs, claudeEnv, claudeMode, modeOf } from './claude/command_line.mjs';
import { ClaudeUsage, failure, isUnknownConversation, stopReason, unknownConversation } from './claude/outcome.mjs';
import { asControlResponse, asElicitation, asPermission, controlResponse } from './claude/permission.mjs';
import { userMessage } from './claude/user_message.mjs';

/** How long a stop waits for the interrupted turn's end, for the CLI after its stdin closed, and after SIGTERM. */
const STOP_MS = { turn: 1000, close: 1200, term: 1800 };
/** Background tasks would keep claude alive after the end of its stdin; the user asked for the end. In milliseconds. */
const CLOSE_WITH_TASKS_MS = 200;

/** @typedef {import('./lib/agent_session.mjs').Agent} Agent */

/** @implements {Agent} */
class ClaudeAgent {
  #session;
  /** @type {CliChild | null} */ #cli = null;
  #usage = new ClaudeUsage();
  /** The plan that claude's model proposed last; the question about it may come without it. @type {Record<string, any> | undefined} */
  #plan;
  /** @type {Map<string, (response: Record<string, any>) => void>} */ #awaited = new Map();
  /** The conversation that claude was asked to go on with; forgotten once it has. @type {{ resumes?: string, cwd?: string } | null} */
  #resuming = null;
  /** Forms whose first answer did not fit: claude's id of each, and the one under which it was asked again. @type {Map<string, string>} */
  #askedAgain = new Map();
  #interruptAsked = false;
  #backgroundTasks = 0;

  /** @param {AgentSession} session */
  constructor(session) {
    this.#session = session;
  }

  get exited() {
    return this.#cli?.exited;
  }

  /** @param {Record<string, any>} query */
  async start(query) {
    const { host, lines } = this.#session;
    const env = claudeEnv(query);
    const version = await usableCli(query, {
      name: 'claude',
      leastVersion: LEAST_VERSION,
      update: 'claude update',
      env,
    });
    const chosenId = randomUUID();
    const args = await claudeArgs(query, chosenId, version);
    if (this.#session.isEnding) return;
    const nativeSessionId = idBeforeOutput(query, chosenId);
    if (query.resumeMode === 'resume' || query.resumeMode === 'continue') {
      this.#resuming = { resumes: nativeSessionId, cwd: query.cwd };
    }
    lines.started({ nativeSessionId, cliVersion: version, model: query.model });
    host.log('debug', `starting ${query.cli} ${args.filter((arg) => arg.startsWith('-')).join(' ')}`);
    this.#cli = new CliChild({
      command: query.cli,
      args,
      cwd: query.cwd,
      env,
      onLines: (heard) => heard.forEach((line) => this.#hear(line)),
      pace: () => host.ready(),
    });
    this.#cli.exited.then((exit) => this.#exited(exit, query));
    void this.#introduce();
  }

  /** @param {any} error */
  startFailure(error) {
    return { code: 'internal', message: `cannot start claude: ${error?.message ?? error}` };
  }

  /** @param {Record<string, any>} query */
  async prompt(query) {
    this.#session.opened();
    try {
      this.#cli?.send(await userMessage(query));
    } catch (error) {
      const message = `cannot read what is attached to the prompt: ${/** @type {Error} */ (error).message}`;
      this.#session.promptFailed({ code: 'internal', message });
    }
  }

  /**
   * claude takes a message of a running turn after the running tool, or as the next turn when no tool follows.
   * @param {string} text
   * @returns {Promise<import('./lib/agent_session.mjs').Taken>}
   */
  async steer(text) {
    this.#cli?.send(await userMessage({ prompt: text }));
    return 'queued';
  }

  async interrupt() {
    this.#interruptAsked = true;
    await this.#control({ subtype: 'interrupt' });
  }

  /**
   * @param {import('./claude/permission.mjs').ClaudeAsk | { requestId: string, form: Form }} native
   * @param {Record<string, any>} answer
   */
  answer(native, answer) {
    if (!('form' in native)) return this.#cli?.send(asControlResponse(native, answer));
    const { requestId, form } = native;
    this.#askedAgain.delete(requestId);
    const filled = form.answered(answer);
    if (!('problem' in filled)) return this.#cli?.send(controlResponse(requestId, filled));
    const again = randomUUID();
    this.#askedAgain.set(requestId, again);
    this.#session.permissions.ask(form.ask(again, filled.problem), native);
  }

  /** @param {import('./lib/agent_session.mjs').Change} change */
  async set({ model, permissionMode }) {
    const { lines } = this.#session;
    if (model) {
      await this.#control({ subtype: 'set_model', model });
      lines.started({ model });
    }
    if (permissionMode) {
      const mode = claudeMode(permissionMode);
      await this.#control({ subtype: 'set_permission_mode', mode });
      lines.started({ permissionMode: modeOf(mode) });
    }
  }

  end() {
    const closeMs = this.#backgroundTasks > 0 ? CLOSE_WITH_TASKS_MS : STOP_MS.close;
    return this.#cli?.end({ closeMs, termMs: STOP_MS.term }) ?? null;
  }

  kill() {
    this.#cli?.kill('SIGTERM');
  }

  /** Asks claude what it offers; it answers before its first turn. One that does not know the question offers nothing. */
  async #introduce() {
    try {
      const answer = await this.#control({ subtype: 'initialize' });
      if (!answer) return;
      this.#session.lines.offers(offersOf(answer));
      this.#session.lines.started({ auth: authOf({ account: answer.account }) });
    } catch (error) {
      this.#session.host.log('info', `claude does not say what it offers: ${/** @type {Error} */ (error).message}`);
    }
  }

  /** @param {import('./lib/line_io.mjs').Line} line */
  #hear(line) {
    if (line.size === 0) return;
    const message = line.cut ? null : parseObject(line.bytes);
    if (!message) return this.#session.host.textLine(this.#session.id, line);
    // A response is an answer to one of our own requests and says nothing about the conversation.
    if (message.type === 'control_response') return this.#responded(message.response ?? {});
    // A turn that nobody asked for (a background task reports back) begins with its own init line.
    if (message.type === 'system' && message.subtype === 'init') this.#initialised(message);
    this.#session.host.event(this.#session.id, line.bytes);
    this.#follow(message);
  }

  /** @param {Record<string, any>} message */
  #follow(message) {
    switch (message.type) {
      case 'stream_event':
        return this.#usage.note(message);
      case 'result':
        return this.#turnEnded(message);
      case 'control_request':
        return this.#asked(message);
      case 'control_cancel_request':
        return this.#session.permissions.cancel(this.#askedAgain.get(message.request_id) ?? message.request_id);
      case 'assistant':
        this.#plan = planIn(message) ?? this.#plan;
        return;
      case 'system':
        if (message.subtype === 'background_tasks_changed') this.#backgroundTasks = message.tasks?.length ?? 0;
        if (message.subtype === 'compact_boundary') this.#usage.compacted(message.compact_metadata ?? {});
        // It changes by itself when a plan is approved.
        if (message.permissionMode) this.#session.lines.started({ permissionMode: modeOf(message.permissionMode) });
    }
  }

  /** @param {Record<string, any>} init */
  #initialised(init) {
    this.#resuming = null;
    this.#session.lines.started({
      nativeSessionId: init.session_id,
      cliVersion: init.claude_code_version,
      model: init.model,
      permissionMode: modeOf(init.permissionMode),
      auth: this.#session.lines.known.auth ?? authOf({ apiKeySource: init.apiKeySource }),
    });
    this.#session.opened();
  }

  /** @param {Record<string, any>} result */
  #turnEnded(result) {
    const { lines } = this.#session;
    const reason = stopReason(result, this.#interruptAsked);
    const failed = reason === 'error' || result.subtype === 'error_max_turns';
    if (failed && !this.#session.isEnding) {
      lines.failed({ ...failure(result, this.#resuming ?? {}), stderrTail: this.#cli?.stderrTail });
    }
    this.#interruptAsked = false;
    const usage = this.#usage.ofTurn(result, lines.known.model);
    this.#session.opened();
    this.#session.closed(reason, usage, { more: { backgroundTasks: this.#backgroundTasks || undefined } });
  }

  /** @param {Record<string, any>} line a `control_request` of claude */
  #asked(line) {
    const { permissions } = this.#session;
    switch (line.request?.subtype) {
      case 'can_use_tool': {
        const { ask, native } = asPermission(line, line.request.tool_name === 'ExitPlanMode' ? this.#plan : undefined);
        return permissions.ask(ask, native);
      }
      case 'elicitation': {
        const form = new Form(asElicitation(line.request));
        return permissions.ask(form.ask(line.request_id), { requestId: line.request_id, form });
      }
    }
    const error = `unsupported request ${line.request?.subtype}`;
    this.#cli?.send({ type: 'control_response', response: { subtype: 'error', request_id: line.request_id, error } });
  }

  /**
   * Sends a control request and waits for claude's answer.
   * @param {Record<string, unknown> & { subtype: string }} request
   * @returns {Promise<Record<string, any> | undefined>} what it answered; undefined when it ended first
   */
  async #control(request) {
    const requestId = randomUUID();
    const response = new Promise((resolve) => this.#awaited.set(requestId, resolve));
    this.#cli?.send({ type: 'control_request', request_id: requestId, request });
    const answer = await Promise.race([response, this.#cli?.exited]);
    this.#awaited.delete(requestId);
    if (answer?.subtype === 'error') throw new Error(`claude refused ${request.subtype}: ${answer.error}`);
    return answer?.response;
  }

  /** @param {Record<string, any>} response */
  #responded(response) {
    this.#awaited.get(response.request_id)?.(response);
  }

  /**
   * The CLI ended.
   * @param {import('./lib/child.mjs').CliExit} exit
   * @param {Record<string, any>} query
   */
  #exited(exit, query) {
    const unexpected = exit.error || exit.signal !== null || this.#session.isWorking;
    this.#session.exited(exit, unexpected ? this.#exitFailure(exit, query) : null);
  }

  /**
   * @param {import('./lib/child.mjs').CliExit} exit
   * @param {Record<string, any>} query
   * @returns {import('./lib/agent_lines.mjs').AgentError}
   */
  #exitFailure(exit, query) {
    const failed = endFailure(/** @type {any} */ (query), exit, this.#cli);
    // Older versions say it on stderr only.
    const unknown = this.#resuming && isUnknownConversation((failed.stderrTail ?? []).join('\n'));
    return unknown ? { ...failed, ...unknownConversation(this.#resuming ?? {}) } : failed;
  }
}

/**
 * @param {Record<string, any>} query
 * @param {string} chosenId
 * @returns {string | undefined} the conversation's id, where it is known before claude says a word
 */
function idBeforeOutput({ resumeMode, resumeSessionId }, chosenId) {
  if (resumeMode === 'resume') return resumeSessionId;
  return resumeMode === 'continue' ? undefined : chosenId;
}

/**
 * @param {Record<string, any>} message an `assistant` line
 * @returns {Record<string, any> | undefined} the input of the call with which claude proposes a plan
 */
function planIn(message) {
  const blocks = Array.isArray(message.message?.content) ? message.message.content : [];
  return blocks.find((/** @type {any} */ block) => block?.type === 'tool_use' && block.name === 'ExitPlanMode')?.input;
}

runRunner({
  provider: 'claude',
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
    new AgentSession(host, finish, { turnMs: STOP_MS.turn, createAgent: (session) => new ClaudeAgent(session) }),
});

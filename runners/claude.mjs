#!/usr/bin/env node
// The runner for Anthropic's `claude`: drives the user's own CLI in stream-json both ways, with its control protocol for
// permission prompts, interrupts and changes of model and mode. One long-lived CLI process for each session.
//
// Every line of the CLI goes to the host as it is; this file only reads from them what the protocol asks for.

import { randomUUID } from 'node:crypto';
import { AgentLines, definedOnly } from './lib/agent_lines.mjs';
import { CliChild, exitFailure, settledWithin, startFailure } from './lib/child.mjs';
import { parseObject } from './lib/lossless.mjs';
import { PendingPermissions } from './lib/pending_permissions.mjs';
import { runRunner } from './lib/runner.mjs';
import { usableCli } from './lib/usable_cli.mjs';
import { authOf, offersOf } from './claude/account.mjs';
import { LEAST_VERSION, claudeArgs, claudeEnv, claudeMode, modeOf } from './claude/command_line.mjs';
import { ClaudeUsage, failure, isUnknownConversation, stopReason, unknownConversation } from './claude/outcome.mjs';
import { asControlResponse, asPermission } from './claude/permission.mjs';
import { userMessage } from './claude/user_message.mjs';

/** How long a stop waits for the interrupted turn's end, for the CLI after its stdin closed, and after SIGTERM. */
const STOP_MS = { turn: 1000, close: 1200, term: 1800 };

/** @typedef {import('./lib/runner.mjs').AgentSession} AgentSession */

/** @implements {AgentSession} */
class ClaudeSession {
  #host;
  #finish;
  #lines;
  /** @type {PendingPermissions<import('./claude/permission.mjs').ClaudeAsk>} */ #permissions;
  /** @type {CliChild | null} */ #cli = null;
  #usage = new ClaudeUsage();
  /** The plan that claude's model proposed last; the question about it may come without it. @type {Record<string, any> | undefined} */
  #plan;
  /** @type {Record<string, any>[]} */ #queue = [];
  /** @type {Map<string, (response: Record<string, any>) => void>} */ #awaited = new Map();
  /** @type {{ model?: string, permissionMode?: string }} */ #early = {};
  #starting = false;
  /** The conversation that claude was asked to go on with; forgotten once it has. @type {{ resumes?: string, cwd?: string } | null} */
  #resuming = null;
  #interruptAsked = false;
  #stopping = false;
  #backgroundTasks = 0;
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
    if (!this.#cli && !this.#starting) return this.#tryStart(query);
    if (this.#starting || this.#lines.turnId !== null) {
      this.#queue.push(query);
      this.#host.log('info', 'a turn is running; the prompt waits for its end');
      return;
    }
    await this.#prompt(query);
  }

  /** @param {string} text */
  async steer(text) {
    if (!this.#cli) throw new Error('no agent is running yet');
    const idle = this.#lines.turnId === null;
    if (idle) this.#lines.openTurn();
    this.#cli.send(await userMessage({ prompt: text }));
    // claude takes a message of a running turn after the running tool, or as the next turn when no tool follows.
    this.#lines.steerAccepted(idle ? 'now' : 'queued');
  }

  async interrupt() {
    if (!this.#cli || this.#lines.turnId === null) return this.#host.log('info', 'interrupt: no turn is running');
    this.#interruptAsked = true;
    await this.#control({ subtype: 'interrupt' });
  }

  /** @param {Record<string, any>} answer */
  permissionResponse(answer) {
    const native = this.#permissions.take(answer.requestId);
    if (native) this.#cli?.send(asControlResponse(native, answer));
  }

  /** @param {{ model?: string, permissionMode?: string }} change */
  async set(change) {
    if (!this.#cli) {
      this.#early = { ...this.#early, ...definedOnly(change) };
      return;
    }
    if (change.model) {
      await this.#control({ subtype: 'set_model', model: change.model });
      this.#lines.started({ model: change.model });
    }
    if (change.permissionMode) {
      const mode = claudeMode(change.permissionMode);
      await this.#control({ subtype: 'set_permission_mode', mode });
      this.#lines.started({ permissionMode: modeOf(mode) });
    }
  }

  async stop() {
    this.#stopping = true;
    this.#queue = [];
    const cli = this.#cli;
    if (!cli) return;
    if (this.#lines.turnId !== null) {
      const turnEnd = new Promise((resolve) => (this.#onTurnEnd = () => resolve(undefined)));
      this.interrupt().catch(() => {});
      await settledWithin(Promise.race([turnEnd, cli.exited]), STOP_MS.turn);
    }
    // Background tasks would keep claude alive after the end of its stdin; the user asked for the end.
    const patience = { closeMs: this.#backgroundTasks > 0 ? 200 : STOP_MS.close, termMs: STOP_MS.term };
    const exit = await cli.end(patience);
    this.#ended(exit);
  }

  kill() {
    this.#cli?.kill('SIGTERM');
  }

  /** @param {Record<string, any>} query */
  async #tryStart(query) {
    this.#starting = true;
    this.#lines.sessionId = query.sessionId;
    try {
      await this.#start(query);
    } catch (error) {
      this.#lines.failed({
        code: 'internal',
        message: `cannot start claude: ${/** @type {any} */ (error)?.message ?? error}`,
      });
      this.#finish(1);
    }
  }

  /** @param {Record<string, any>} query */
  async #start(query) {
    const about = { name: 'claude', leastVersion: LEAST_VERSION, update: 'claude update', env: claudeEnv(query) };
    const { version, problem } = await usableCli(query, about);
    if (problem) this.#lines.failed(problem);
    if (problem || this.#stopping) return this.#finish(1);
    query = { ...query, ...this.#early };
    const chosenId = randomUUID();
    const args = await claudeArgs(query, chosenId, version);
    const nativeSessionId = idBeforeOutput(query, chosenId);
    if (query.resumeMode === 'resume' || query.resumeMode === 'continue') {
      this.#resuming = { resumes: nativeSessionId, cwd: query.cwd };
    }
    this.#lines.started({ nativeSessionId, cliVersion: version, model: query.model });
    this.#host.log('debug', `starting ${query.cli} ${args.filter((arg) => arg.startsWith('-')).join(' ')}`);
    this.#cli = new CliChild({
      command: query.cli,
      args,
      cwd: query.cwd,
      env: claudeEnv(query),
      onLines: (lines) => lines.forEach((line) => this.#hear(line)),
      pace: () => this.#host.ready(),
    });
    this.#cli.exited.then((exit) => this.#exited(exit, query));
    this.#starting = false;
    void this.#introduce();
    await this.#prompt(query);
  }

  /** Asks claude what it offers; it answers before its first turn. One that does not know the question offers nothing. */
  async #introduce() {
    try {
      const answer = await this.#control({ subtype: 'initialize' });
      if (!answer) return;
      this.#lines.offers(offersOf(answer));
      this.#lines.started({ auth: authOf({ account: answer.account }) });
    } catch (error) {
      this.#host.log('info', `claude does not say what it offers: ${/** @type {Error} */ (error).message}`);
    }
  }

  /** @param {Record<string, any>} query */
  async #prompt(query) {
    this.#lines.openTurn();
    try {
      this.#cli?.send(await userMessage(query));
    } catch (error) {
      const message = `cannot read what is attached to the prompt: ${/** @type {Error} */ (error).message}`;
      this.#lines.failed({ code: 'internal', message });
      this.#lines.closeTurn('error');
    }
  }

  /** @param {import('./lib/line_io.mjs').Line} line */
  #hear(line) {
    if (line.size === 0) return;
    const message = line.cut ? null : parseObject(line.bytes);
    if (!message) return this.#host.textLine(this.#lines.sessionId, line);
    // A response is an answer to one of our own requests and says nothing about the conversation.
    if (message.type === 'control_response') return this.#responded(message.response ?? {});
    // A turn that nobody asked for (a background task reports back) begins with its own init line.
    if (message.type === 'system' && message.subtype === 'init') this.#initialised(message);
    this.#host.event(this.#lines.sessionId, line.bytes);
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
        return this.#permissions.cancel(message.request_id);
      case 'assistant':
        this.#plan = planIn(message) ?? this.#plan;
        return;
      case 'system':
        if (message.subtype === 'background_tasks_changed') this.#backgroundTasks = message.tasks?.length ?? 0;
        if (message.subtype === 'compact_boundary') this.#usage.compacted(message.compact_metadata ?? {});
        // It changes by itself when a plan is approved.
        if (message.permissionMode) this.#lines.started({ permissionMode: modeOf(message.permissionMode) });
    }
  }

  /** @param {Record<string, any>} init */
  #initialised(init) {
    this.#resuming = null;
    this.#lines.started({
      nativeSessionId: init.session_id,
      cliVersion: init.claude_code_version,
      model: init.model,
      permissionMode: modeOf(init.permissionMode),
      auth: this.#lines.known.auth ?? authOf({ apiKeySource: init.apiKeySource }),
    });
    this.#lines.openTurn();
  }

  /** @param {Record<string, any>} result */
  #turnEnded(result) {
    const reason = stopReason(result, this.#interruptAsked);
    const failed = reason === 'error' || result.subtype === 'error_max_turns';
    if (failed && !this.#stopping) {
      this.#lines.failed({ ...failure(result, this.#resuming ?? {}), stderrTail: this.#cli?.stderrTail });
    }
    this.#permissions.cancelAll();
    this.#interruptAsked = false;
    const usage = this.#usage.ofTurn(result, this.#lines.known.model);
    this.#lines.openTurn();
    this.#lines.closeTurn(reason, usage, { backgroundTasks: this.#backgroundTasks || undefined });
    this.#onTurnEnd();
    const next = this.#stopping ? undefined : this.#queue.shift();
    if (next) void this.#prompt(next);
  }

  /** @param {Record<string, any>} line a `control_request` of claude */
  #asked(line) {
    if (line.request?.subtype === 'can_use_tool') {
      const { ask, native } = asPermission(line, line.request.tool_name === 'ExitPlanMode' ? this.#plan : undefined);
      return this.#permissions.ask(ask, native);
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
    if (this.#stopping) return;
    const unexpected = this.#lines.turnId !== null || exit.signal !== null;
    if (exit.error || unexpected) this.#lines.failed(this.#exitFailure(exit, query));
    this.#ended(exit);
    this.#finish(exit.code === 0 && !unexpected ? 0 : 1);
  }

  /**
   * @param {import('./lib/child.mjs').CliExit} exit
   * @param {Record<string, any>} query
   * @returns {import('./lib/agent_lines.mjs').AgentError}
   */
  #exitFailure(exit, query) {
    if (exit.error) return startFailure(query.cli, query.cwd, exit.error);
    const failed = exitFailure(query.cli, exit, this.#cli);
    // Older versions say it on stderr only.
    const unknown = this.#resuming && isUnknownConversation((failed.stderrTail ?? []).join('\n'));
    return unknown ? { ...failed, ...unknownConversation(this.#resuming ?? {}) } : failed;
  }

  /** @param {import('./lib/child.mjs').CliExit} exit */
  #ended(exit) {
    this.#permissions.cancelAll();
    this.#lines.ended(exit, this.#stopping);
    this.#cli = null;
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
  createSession: (host, finish) => new ClaudeSession(host, finish),
});

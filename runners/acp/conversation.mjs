// How is a conversation of an ACP agent begun, or opened again?
//
// An agent that opens one again may tell all of it once more. Whatever it tells until the first prompt is that replay, which the
// journal has already.

import { existsSync, readdirSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { settledWithin } from '../lib/child.mjs';
import { METHOD_NOT_FOUND } from '../lib/json_rpc.mjs';
import { agentEnv, sessionParams } from './settings.mjs';

/** How long to wait for the end of a replay that the agent tells after its answer, in milliseconds. */
const REPLAY_MS = 3000;
/** How far into the next minute a conversation is opened, in milliseconds: clocks are read at different times. */
const MARGIN_MS = 500;

/** The updates that are the conversation itself. */
const TOLD = new Set([
  'user_message_chunk',
  'agent_message_chunk',
  'agent_thought_chunk',
  'tool_call',
  'tool_call_update',
  'plan',
  'plan_update',
  'compaction_update',
  'compaction_summary_chunk',
]);

/** There is no earlier conversation, or none that can be opened. */
export class NoConversation extends Error {}

/** Opens one conversation. */
export class Conversation {
  #agent;
  #capabilities;
  #quirks;
  #tell;
  /** @type {() => void} */ #replayed = () => {};
  #replaying = false;
  /** How many updates were such. */
  replayed = 0;

  /**
   * @param {import('../lib/json_rpc.mjs').RpcChild} agent
   * @param {Record<string, any>} capabilities the agent's
   * @param {import('./quirks.mjs').Quirks} quirks
   * @param {(notice: string) => void} tell what people should know
   */
  constructor(agent, capabilities, quirks, tell) {
    this.#agent = agent;
    this.#capabilities = capabilities;
    this.#quirks = quirks;
    this.#tell = tell;
  }

  /**
   * @param {Record<string, any>} query
   * @returns {Promise<Record<string, any>>} what the agent answered, always with `sessionId`
   */
  async open(query) {
    const params = sessionParams(query, this.#capabilities, this.#tell);
    if (query.resumeMode === 'resume') return this.#again(query, query.resumeSessionId, params);
    if (query.resumeMode === 'continue') return this.#again(query, await this.#latest(query.cwd), params);
    return this.#agent.request('session/new', params);
  }

  /**
   * @param {Record<string, any>} update
   * @returns {boolean} whether it tells of an earlier conversation, which the journal has
   */
  isReplay(update) {
    if (!this.#replaying) return false;
    if (update.sessionUpdate === this.#quirks.replayEnds) this.#replayed();
    const told = TOLD.has(update.sessionUpdate);
    if (told) this.replayed += 1;
    return told;
  }

  /** The first prompt is on its way: what comes now is new. */
  goesOn() {
    this.#replaying = false;
  }

  /**
   * @param {Record<string, any>} query
   * @param {string} sessionId
   * @param {Record<string, any>} params
   */
  async #again(query, sessionId, params) {
    const { sessionCapabilities, loadSession } = this.#capabilities;
    if (sessionCapabilities?.resume) {
      const opened = await this.#replay('session/resume', { sessionId, ...params }).catch((error) => {
        // Qwen 0.15 offers what it does not have.
        if (error.code === METHOD_NOT_FOUND && loadSession) return null;
        throw error;
      });
      if (opened) return opened;
    }
    if (!loadSession) throw new NoConversation('it opens no earlier conversations');
    if (this.#quirks.loadNeedsNextMinute) await this.#nextMinute(query, sessionId);
    return this.#replay('session/load', { sessionId, ...params });
  }

  /**
   * @param {string} method
   * @param {Record<string, any>} params
   */
  async #replay(method, params) {
    this.#replaying = true;
    const ended = new Promise((resolve) => (this.#replayed = () => resolve(undefined)));
    const opened = await this.#agent.request(method, params);
    if (method === 'session/load' && this.#quirks.replayEnds) await settledWithin(ended, REPLAY_MS);
    return { ...opened, sessionId: params.sessionId };
  }

  /**
   * The agent's most recent conversation in a folder.
   * @param {string} cwd
   * @returns {Promise<string>}
   */
  async #latest(cwd) {
    if (!this.#capabilities.sessionCapabilities?.list) throw new NoConversation('it does not list its conversations');
    const { sessions = [] } = await this.#agent.request('session/list', { cwd });
    const here = sessions.filter((/** @type {any} */ session) => !session.cwd || session.cwd === cwd);
    const newest = here.sort((/** @type {any} */ a, /** @type {any} */ b) => time(b) - time(a))[0];
    if (!newest) throw new NoConversation('there is none');
    return newest.sessionId;
  }

  /**
   * Waits for the minute after the one in whose name the conversation is kept, if that is now.
   * @param {Record<string, any>} query
   * @param {string} sessionId
   */
  async #nextMinute(query, sessionId) {
    const now = new Date();
    if (!isOfMinute(agentEnv(query, this.#quirks), sessionId, now)) return;
    const wait = 60_000 - (now.getTime() % 60_000) + MARGIN_MS;
    const seconds = Math.ceil(wait / 1000);
    this.#tell(
      `${this.#quirks.name} destroys a conversation that is opened again in the minute in which it began; waiting ${seconds} s for the next.`,
    );
    await sleep(wait);
  }
}

/** @param {{ updatedAt?: string }} session */
const time = ({ updatedAt }) => (updatedAt ? Date.parse(updatedAt) : 0) || 0;

/**
 * Whether gemini keeps the conversation in a file that is named by this minute. Only names are looked at.
 * @param {Record<string, string | undefined>} env
 * @param {string} sessionId
 * @param {Date} now
 */
function isOfMinute(env, sessionId, now) {
  const projects = path.join(env.GEMINI_CLI_HOME || env.HOME || os.homedir(), '.gemini', 'tmp');
  const minute = now.toISOString().slice(0, 16).replaceAll(':', '-');
  const name = `session-${minute}-${sessionId.slice(0, 8)}.`;
  if (!existsSync(projects)) return false;
  return readdirSync(projects).some((project) => {
    const chats = path.join(projects, project, 'chats');
    return existsSync(chats) && readdirSync(chats).some((file) => file.startsWith(name));
  });
}

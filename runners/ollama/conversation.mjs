// What was said so far, on disk: one file for each conversation, so that a later runner goes on where this one stopped.
//
// `<folder>/<id>.ndjson`: a head, then each message as Ollama's API takes it, written when it is complete. A torn last line
// is left out; a call whose result was never written gets one that says so, because models expect an answer to each call.

import { randomUUID } from 'node:crypto';
import { appendFile, mkdir, readFile, readdir, stat, truncate } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

const FORMAT = 1;
const ID = /^ollama-[0-9a-f-]{36}$/;

/** @typedef {{ role: 'user' | 'assistant' | 'tool', content: string } & Record<string, any>} Message */

/**
 * Where conversations are.
 * @typedef {object} Place
 * @property {string} folder
 * @property {boolean} ofSession whether it is one session's own, with those of other sessions beside it: `…/<session>/<name>`
 */

/** A conversation that cannot be resumed. */
export class UnknownConversation extends Error {}

/**
 * @param {string} [stateDir] the folder that the host keeps for this session's runner
 * @returns {Place}
 */
export function placeOf(stateDir) {
  if (stateDir) return { folder: stateDir, ofSession: true };
  const home = os.homedir();
  const { LOCALAPPDATA, XDG_STATE_HOME } = process.env;
  const state =
    process.platform === 'win32' ? LOCALAPPDATA || home : XDG_STATE_HOME || path.join(home, '.local', 'state');
  return { folder: path.join(state, 'outrigger', 'ollama'), ofSession: false };
}

/** One conversation. */
export class Conversation {
  #file;
  /** @type {Promise<unknown>} */ #written = Promise.resolve();
  /** @type {(problem: Error) => void} */ #onProblem = () => {};
  #head;
  /** @type {Message[]} */ messages = [];

  /**
   * @param {string} file
   * @param {{ id: string } & Record<string, unknown>} head
   */
  constructor(file, head) {
    this.#file = file;
    this.#head = head;
  }

  get id() {
    return this.#head.id;
  }

  /**
   * @param {Place} place
   * @param {string} cwd
   */
  static begin({ folder }, cwd) {
    const id = `ollama-${randomUUID()}`;
    const head = { type: 'conversation', format: FORMAT, id, cwd, created: new Date().toISOString() };
    const conversation = new Conversation(path.join(folder, `${id}.ndjson`), head);
    conversation.#write(head, folder);
    return conversation;
  }

  /**
   * @param {Place} place
   * @param {string} id
   * @returns {Promise<Conversation>}
   * @throws {UnknownConversation}
   */
  static async resume(place, id) {
    const files = ID.test(id) ? await filesIn(place) : [];
    const file = files.find((one) => path.basename(one) === `${id}.ndjson`);
    if (!file) throw new UnknownConversation(`there is no conversation ${id}`);
    const { head, messages, whole } = await read(file);
    if (head?.id !== id) throw new UnknownConversation(`${file} holds no conversation ${id}`);
    const conversation = new Conversation(file, head);
    // What follows must begin on a line of its own.
    if (whole !== undefined) await truncate(file, whole);
    messages.forEach((message) => conversation.messages.push(message));
    for (const message of unanswered(messages)) conversation.add(message);
    return conversation;
  }

  /**
   * The newest conversation of a working directory.
   * @param {Place} place
   * @param {string} cwd
   */
  static async latest(place, cwd) {
    const files = await filesIn(place);
    const aged = await Promise.all(files.map(async (file) => ({ file, at: (await stat(file)).mtimeMs })));
    aged.sort((a, b) => b.at - a.at);
    for (const { file } of aged) {
      const { head } = await read(file);
      if (head?.cwd === cwd) return Conversation.resume(place, head.id);
    }
    throw new UnknownConversation(`there is no earlier conversation in ${cwd}`);
  }

  /** @param {(problem: Error) => void} listener told once when the file cannot be written */
  onProblem(listener) {
    this.#onProblem = listener;
  }

  /** @param {Message} message */
  add(message) {
    this.messages.push(message);
    this.#write({ type: 'message', at: new Date().toISOString(), message });
  }

  /** Resolves when everything has been written. */
  async settled() {
    await this.#written;
  }

  /**
   * Writes one after the other, so that lines keep their order.
   * @param {Record<string, unknown>} line
   * @param {string} [folder] to be made first; nobody else reads what was said
   */
  #write(line, folder) {
    const text = `${JSON.stringify(line)}\n`;
    this.#written = this.#written
      .then(async () => {
        if (folder) await mkdir(folder, { recursive: true, mode: 0o700 });
        await appendFile(this.#file, text, { mode: 0o600 });
      })
      .catch((error) => {
        this.#onProblem(error);
        this.#onProblem = () => {};
      });
  }
}

/**
 * A conversation may have been begun in another session, in whose folder it is.
 * @param {Place} place
 * @returns {Promise<string[]>}
 */
async function filesIn({ folder, ofSession }) {
  if (!ofSession) return conversationsIn(folder);
  const sessions = path.dirname(path.dirname(folder));
  const names = await readdir(sessions).catch(() => []);
  const folders = new Set([folder, ...names.map((name) => path.join(sessions, name, path.basename(folder)))]);
  return (await Promise.all([...folders].map(conversationsIn))).flat();
}

/** @param {string} folder */
async function conversationsIn(folder) {
  const names = await readdir(folder).catch(() => []);
  return names.filter((name) => ID.test(name.replace(/\.ndjson$/, ''))).map((name) => path.join(folder, name));
}

/**
 * @param {string} file
 * @returns {Promise<{ head: any, messages: Message[], whole: number | undefined }>} `whole` is where a torn last line begins
 */
async function read(file) {
  const bytes = await readFile(file);
  const end = bytes.lastIndexOf(0x0a) + 1;
  const lines = bytes.subarray(0, end).toString('utf8').split('\n').filter(Boolean).flatMap(parsed);
  const messages = lines.filter((line) => line.type === 'message' && line.message?.role).map((line) => line.message);
  const head = lines.find((line) => line.type === 'conversation');
  return { head, messages, whole: end < bytes.length ? end : undefined };
}

/**
 * @param {string} line
 * @returns {any[]} nothing when the line is damaged
 */
function parsed(line) {
  try {
    return [JSON.parse(line)];
  } catch {
    return [];
  }
}

/**
 * Results for the calls at the end of a conversation that has none for them.
 * @param {Message[]} messages
 * @returns {Message[]}
 */
export function unanswered(messages) {
  const at = messages.findLastIndex((message) => message.role === 'assistant');
  const calls = at < 0 ? [] : (messages[at].tool_calls ?? []);
  const answered = messages.slice(at + 1).filter((message) => message.role === 'tool').length;
  if (messages.slice(at + 1).some((message) => message.role === 'user')) return [];
  return calls.slice(answered).map((/** @type {any} */ call) => ({
    role: 'tool',
    content: 'There is no result: the call was cut off.',
    ...identityOf(call),
  }));
}

/**
 * What ties a result to its call.
 * @param {any} call as the model made it
 */
export function identityOf(call) {
  const identity = { tool_name: call?.function?.name };
  return call?.id ? { ...identity, tool_call_id: call.id } : identity;
}

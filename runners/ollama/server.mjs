// How is an Ollama server talked to? Its HTTP API: health, the models that it has, what it knows of one, a streamed chat.
//
// Lines of a stream are handed over as bytes. What a failure means to people is in failure.mjs.

import { exchange, wholeText } from '../lib/http_exchange.mjs';
import { readLineBatches } from '../lib/line_io.mjs';

/** Where Ollama listens unless OLLAMA_HOST says otherwise. */
const DEFAULT_PORT = 11_434;
/** How long a short question (health, models) may take, in milliseconds. */
const ANSWER_LIMIT_MS = 15_000;

/** An answer that is no success, or no answer at all. */
export class OllamaFailure extends Error {
  /**
   * @param {string} said by the server, or by the operating system
   * @param {{ status?: number, code?: string }} [about] HTTP status, or the code of the system's error
   */
  constructor(said, { status, code } = {}) {
    super(said);
    this.status = status;
    this.code = code;
  }
}

/**
 * @typedef {object} Model
 * @property {string} name
 * @property {number} [size] on disk, in bytes
 */
/**
 * @typedef {object} ModelFacts
 * @property {string[] | undefined} capabilities undefined when the server is too old to tell
 * @property {number | undefined} longestContext that the model was made for, in tokens
 * @property {number | undefined} numCtx set in its Modelfile, in tokens
 */

/**
 * The address that OLLAMA_HOST means, by Ollama's own rules: a scheme and a port may be missing, and an address to listen
 * on everywhere means this machine.
 * @param {string} [given]
 * @returns {URL}
 */
export function addressOf(given = '') {
  const text = given.trim().replace(/^["']|["']$/g, '');
  const [, scheme = '', rest] = /^(?:(https?):\/\/)?(.*)$/i.exec(text) ?? [];
  const [, host, path = ''] = /^([^/]*)(\/.*)?$/.exec(rest ?? '') ?? [];
  const [, name, port] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(host ?? '') ?? [];
  const ports = /** @type {Record<string, number>} */ ({ http: 80, https: 443, '': DEFAULT_PORT });
  const everywhere = !name || name === '0.0.0.0' || name === '[::]';
  const address = everywhere ? '127.0.0.1' : name;
  return new URL(
    `${scheme.toLowerCase() || 'http'}://${address}:${port || ports[scheme.toLowerCase()]}${path.replace(/\/+$/, '')}`,
  );
}

/** One Ollama server. */
export class OllamaServer {
  /** @param {URL} address */
  constructor(address) {
    this.address = address;
  }

  /** The address as people write it. */
  get url() {
    return this.address.href.replace(/\/$/, '');
  }

  /** @returns {Promise<string | undefined>} its version */
  async version() {
    return (await this.#ask('GET', '/api/version')).version;
  }

  /** @returns {Promise<Model[]>} the newest first */
  async models() {
    const { models } = await this.#ask('GET', '/api/tags');
    return (models ?? []).map((/** @type {any} */ { name, model, size }) => ({ name: name ?? model, size }));
  }

  /**
   * @param {string} model
   * @returns {Promise<ModelFacts>}
   */
  async show(model) {
    const { capabilities, model_info: info, parameters } = await this.#ask('POST', '/api/show', { model });
    const longest = Object.entries(info ?? {}).find(([key]) => key.endsWith('.context_length'))?.[1];
    const numCtx = /^num_ctx\s+(\d+)/m.exec(typeof parameters === 'string' ? parameters : '')?.[1];
    return {
      capabilities: Array.isArray(capabilities) ? capabilities : undefined,
      longestContext: typeof longest === 'number' ? longest : undefined,
      numCtx: numCtx ? Number(numCtx) : undefined,
    };
  }

  /**
   * @param {string} model that is loaded
   * @returns {Promise<number | undefined>} the context that the server gives it, in tokens
   */
  async loadedContext(model) {
    const { models } = await this.#ask('GET', '/api/ps');
    const loaded = (models ?? []).find((/** @type {any} */ one) =>
      [one.name, one.model].some((it) => isSame(it, model)),
    );
    return typeof loaded?.context_length === 'number' ? loaded.context_length : undefined;
  }

  /**
   * Asks for the next message; the answer comes line by line.
   * @param {Record<string, unknown>} body
   * @param {AbortSignal} signal
   * @returns {AsyncGenerator<import('../lib/line_io.mjs').Line, void, void>}
   */
  async *chat(body, signal) {
    const response = await this.#send('POST', '/api/chat', { ...body, stream: true }, signal);
    for await (const lines of readLineBatches(response)) yield* lines;
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {unknown} [body]
   * @returns {Promise<any>}
   */
  async #ask(method, path, body) {
    const response = await this.#send(method, path, body, AbortSignal.timeout(ANSWER_LIMIT_MS));
    const text = await wholeText(response);
    try {
      return JSON.parse(text) ?? {};
    } catch {
      throw new OllamaFailure(`${path} was answered with something that is no JSON: ${text.slice(0, 200)}`);
    }
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {unknown} body
   * @param {AbortSignal} signal
   * @returns {Promise<import('node:http').IncomingMessage>} a success; anything else is thrown
   */
  async #send(method, path, body, signal) {
    const { protocol, pathname } = this.address;
    const key = process.env.OLLAMA_API_KEY;
    // A key is for a server that others run; it does not go over a line that anybody can read.
    const headers = key && protocol === 'https:' ? { authorization: `Bearer ${key}` } : {};
    const url = new URL(`${pathname.replace(/\/$/, '')}${path}`, this.address);
    const response = await exchange(url, { method, headers, body, signal }).catch((error) => {
      if (signal.aborted && error.name !== 'TimeoutError') throw error;
      const code = error.name === 'TimeoutError' ? 'ETIMEDOUT' : error.code;
      throw new OllamaFailure(error.message || String(code), { code });
    });
    const status = response.statusCode ?? 0;
    if (status >= 200 && status < 300) return response;
    throw new OllamaFailure(errorIn(await wholeText(response)) || `HTTP status ${status}`, { status });
  }
}

/**
 * Names without a tag mean the tag `latest`.
 * @param {unknown} a
 * @param {string} b
 */
export function isSame(a, b) {
  const whole = (/** @type {string} */ name) => (/:[^/]*$/.test(name) ? name : `${name}:latest`);
  return typeof a === 'string' && whole(a) === whole(b);
}

/**
 * What an error's body says. Ollama puts the JSON of its model runner into a string of its own JSON.
 * @param {string} body
 * @returns {string}
 */
export function errorIn(body) {
  const text = body.trim();
  if (!text.startsWith('{')) return text.slice(0, 2000);
  try {
    const { error, message } = JSON.parse(text);
    if (typeof error === 'string') return errorIn(error);
    return String(error?.message ?? message ?? text);
  } catch {
    return text.slice(0, 2000);
  }
}

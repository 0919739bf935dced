// How is one HTTP request made, and its answer read: whole, or as server-sent events?
//
// Uses node:http rather than fetch, which gives up after five minutes without a byte: a model that is loaded from a slow
// disk, and a stream of events in a quiet hour, take longer. It is loaded with the first request: most runners make none, and all
// of them should be ready soon. What a status or a body means is not known here.

import { readLineBatches } from './line_io.mjs';
import { losslessText } from './lossless.mjs';

/** The longest answer that is read whole, in bytes. */
const BODY_LIMIT = 64 * 1024 * 1024;
/** The longest line of a stream of events that is kept whole, in bytes. */
const EVENT_LINE_LIMIT = 10 * 1024 * 1024;

/**
 * @typedef {object} Request
 * @property {string} [method] GET when missing
 * @property {Record<string, string | number>} [headers]
 * @property {unknown} [body] sent as JSON
 * @property {AbortSignal} [signal]
 */

/** @typedef {import('node:http').IncomingMessage} Response */

/**
 * Sends a request. Rejects with the system's error, or with the signal's reason.
 * @param {URL} url
 * @param {Request} [request]
 * @returns {Promise<Response>} with any status
 */
export async function exchange(url, { method = 'GET', headers = {}, body, signal } = {}) {
  const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
  const all = bytes ? { 'content-type': 'application/json', 'content-length': bytes.length, ...headers } : headers;
  const { request } = await import(url.protocol === 'https:' ? 'node:https' : 'node:http');
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    // A connection of its own: one that is kept for later can be closed by the other side in the moment of its use.
    const sent = request(url, { method, headers: all, signal, agent: false }, resolve);
    sent.once('error', (error) => reject(signal?.aborted ? signal.reason : error));
    sent.end(bytes);
  });
}

/**
 * @param {Response} response
 * @returns {Promise<string>} its body, cut when it is too long
 */
export async function wholeText(response) {
  const chunks = [];
  let size = 0;
  for await (const chunk of response) {
    size += chunk.length;
    if (size > BODY_LIMIT) break;
    chunks.push(chunk);
  }
  return losslessText(Buffer.concat(chunks));
}

/**
 * Reads server-sent events: the data of each, as bytes. Names and ids of events are left out.
 * @param {Response} response
 * @returns {AsyncGenerator<Buffer, void, void>}
 */
export async function* serverSentEvents(response) {
  /** @type {Buffer[]} */
  let data = [];
  for await (const lines of readLineBatches(response, EVENT_LINE_LIMIT)) {
    for (const { bytes } of lines) {
      const line = bytes.at(-1) === 0x0d ? bytes.subarray(0, -1) : bytes;
      if (line.length === 0) {
        if (data.length > 0) yield joined(data);
        data = [];
      } else if (line.subarray(0, 5).toString('latin1') === 'data:') {
        data.push(line.subarray(line[5] === 0x20 ? 6 : 5));
      }
    }
  }
  // An event that the end of the stream cut off is none.
}

/** @param {Buffer[]} parts */
function joined(parts) {
  if (parts.length === 1) return parts[0];
  return Buffer.concat(parts.flatMap((part, at) => (at === 0 ? [part] : [Buffer.from('\n'), part])));
}

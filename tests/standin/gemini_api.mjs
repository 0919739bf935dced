// Google's generateContent API, as `gemini` uses it: a reply told as server-sent events, or whole.

import { tokensOf } from './blocks.mjs';
import { EventStream, newId, sendJson } from './event_stream.mjs';

/** @typedef {import('./messages_api.mjs').SettledBlock} SettledBlock */
/** @typedef {import('./messages_api.mjs').SettledReply} SettledReply */

const SIGNATURE = Buffer.from('signed by the stand-in').toString('base64');

/** The vendor's names of the statuses. @type {Record<number, string>} */
const STATUSES = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  429: 'RESOURCE_EXHAUSTED',
  500: 'INTERNAL',
  503: 'UNAVAILABLE',
};

/**
 * @param {string} pathname
 * @returns {{ model: string, method: string } | null} null when it is another API's
 */
export function geminiRoute(pathname) {
  const [, model, method] = /\/models\/([^/:]+):(\w+)$/.exec(pathname) ?? [];
  return model ? { model, method } : null;
}

/**
 * @param {any} body of a request
 * @returns {import('./conversation.mjs').Conversation}
 */
export function fromGemini(body) {
  const tools = (body.tools ?? []).flatMap((/** @type {any} */ { functionDeclarations = [] }) => functionDeclarations);
  return {
    entries: (body.contents ?? []).flatMap(entriesOf),
    tools: tools.map((/** @type {any} */ { name, parametersJsonSchema, parameters }) => ({
      name,
      schema: parametersJsonSchema ?? parameters,
    })),
    system: (body.systemInstruction?.parts ?? []).map((/** @type {any} */ part) => part.text ?? '').join('\n'),
  };
}

/**
 * @param {any} content
 * @returns {import('./conversation.mjs').Entry[]}
 */
function entriesOf({ role, parts = [] }) {
  const words = parts
    .filter((/** @type {any} */ part) => part.text && !part.thought)
    .map((/** @type {any} */ part) => part.text)
    .join('\n');
  if (role === 'model') return [{ role: 'assistant', text: words }];
  const results = parts.filter((/** @type {any} */ part) => part.functionResponse);
  /** @type {import('./conversation.mjs').Entry[]} */
  const entries = [];
  if (results.length > 0)
    entries.push({
      role: 'tool',
      text: results.map((/** @type {any} */ part) => JSON.stringify(part.functionResponse.response)).join('\n'),
    });
  if (words !== '') entries.push({ role: 'user', text: words });
  return entries;
}

/**
 * @param {import('node:http').ServerResponse} response
 * @param {{ model: string, method: string }} route
 * @param {SettledReply} reply
 * @param {number} entries of the conversation, for a plausible count of tokens
 */
export async function answerGemini(response, { model, method }, reply, entries) {
  if (reply.failure) {
    const code = reply.failure.status === 529 ? 503 : reply.failure.status;
    const error = { code, message: reply.failure.message, status: STATUSES[code] ?? 'UNKNOWN' };
    return sendJson(response, code, { error }, reply.failure.headers);
  }
  const usageMetadata = usageOf(reply, entries);
  const piece = (/** @type {unknown[]} */ parts, finishReason = /** @type {string | undefined} */ (undefined)) => ({
    candidates: [{ content: { role: 'model', parts }, index: 0, finishReason }],
    modelVersion: model,
    responseId: newId('response'),
    usageMetadata: finishReason ? usageMetadata : undefined,
  });
  if (method !== 'streamGenerateContent')
    return sendJson(response, 200, piece(reply.blocks.map(wholePart), finishOf(reply)));
  const stream = new EventStream(response);
  for (const [index, block] of reply.blocks.entries()) {
    await streamBlock(stream, block, (part) => stream.data(piece([part])));
    if (reply.cut && index === reply.blocks.length - 1) return breakOff(stream, reply.cut);
  }
  stream.data(piece([{ text: '' }], finishOf(reply)));
  stream.end();
}

/**
 * @param {EventStream} stream
 * @param {SettledBlock} block
 * @param {(part: unknown) => void} send
 */
async function streamBlock(stream, block, send) {
  if (block.type === 'text') return stream.pump(block, (words) => send({ text: words }));
  send(wholePart(block));
}

/** @param {SettledBlock} block */
function wholePart(block) {
  switch (block.type) {
    case 'text':
      return { text: block.text };
    case 'thinking':
      // The CLI takes the bold beginning as the subject of the thought.
      return { text: `**Considering**\n\n${block.text}`, thought: true };
    case 'call':
      return { functionCall: { id: newId('call'), name: block.name, args: block.input }, thoughtSignature: SIGNATURE };
  }
}

/** @param {SettledReply} reply */
function finishOf({ stop }) {
  return stop === 'max_tokens' ? 'MAX_TOKENS' : stop === 'refusal' ? 'SAFETY' : 'STOP';
}

/**
 * @param {SettledReply} reply
 * @param {number} entries
 */
function usageOf({ blocks }, entries) {
  const output = blocks.reduce((sum, block) => sum + (block.type === 'call' ? 50 : tokensOf(block.text)), 0);
  const input = 2000 + 10 * entries;
  return {
    promptTokenCount: input,
    candidatesTokenCount: output,
    cachedContentTokenCount: 100,
    totalTokenCount: input + output,
  };
}

/**
 * @param {EventStream} stream
 * @param {'drop' | 'error'} how
 */
function breakOff(stream, how) {
  if (how === 'drop') return stream.drop();
  stream.data({
    error: { code: 503, message: 'stand-in: overloaded in the middle of the stream', status: 'UNAVAILABLE' },
  });
  stream.end();
}

// Ollama's own API: a chat as newline-delimited JSON, and what the server knows of itself and its models.

import { newId, sendJson } from './event_stream.mjs';
import { deltas, tokensOf } from './blocks.mjs';
import { setTimeout as sleep } from 'node:timers/promises';

/** What the stand-in has: one model that can do everything, one that can only talk, one with a small context. */
const MODELS = [
  {
    name: 'standin-coder:7b',
    size: 4_683_087_332,
    capabilities: ['completion', 'tools', 'thinking', 'vision'],
    context: 32_768,
  },
  { name: 'standin-talker:latest', size: 815_319_791, capabilities: ['completion'], context: 8192 },
  { name: 'standin-small:1b', size: 1_321_098_329, capabilities: ['completion', 'tools'], context: 4096 },
];

/** @param {string} [name] */
const modelNamed = (name = '') => MODELS.find((model) => model.name === (name.includes(':') ? name : `${name}:latest`));

/**
 * Answers what is no chat.
 * @param {import('node:http').ServerResponse} response
 * @param {string} route
 * @param {any} body
 * @returns {boolean} whether it was such a question
 */
export function answerOllamaQuestion(response, route, body) {
  switch (route) {
    case 'GET /api/version':
      sendJson(response, 200, { version: '0.32.4' });
      return true;
    case 'GET /api/tags':
      sendJson(response, 200, { models: MODELS.map(({ name, size }) => ({ name, model: name, size, details: {} })) });
      return true;
    case 'GET /api/ps':
      sendJson(response, 200, {
        models: MODELS.map(({ name, size, context }) => ({ name, model: name, size, context_length: context })),
      });
      return true;
    case 'POST /api/show': {
      const model = modelNamed(body.model);
      if (!model) sendJson(response, 404, { error: `model '${body.model}' not found` });
      else {
        const { capabilities, context } = model;
        sendJson(response, 200, { details: {}, capabilities, model_info: { 'standin.context_length': context } });
      }
      return true;
    }
    default:
      return false;
  }
}

/**
 * @param {import('node:http').ServerResponse} response
 * @param {any} body the request's
 * @param {import('./messages_api.mjs').SettledReply} reply
 * @param {number} entries of the conversation, for a plausible count of tokens
 */
export async function answerOllamaChat(response, body, reply, entries) {
  const model = modelNamed(body.model);
  if (!model) return sendJson(response, 404, { error: `model '${body.model}' not found` });
  if (body.tools && !model.capabilities.includes('tools')) {
    return sendJson(response, 400, { error: `registry.ollama.ai/library/${body.model} does not support tools` });
  }
  if (reply.failure) return sendJson(response, reply.failure.status, { error: reply.failure.message });
  response.writeHead(200, { 'content-type': 'application/x-ndjson' });
  const line = (/** @type {Record<string, unknown>} */ more) => {
    const created_at = new Date().toISOString();
    response.write(`${JSON.stringify({ model: body.model, created_at, ...more })}\n`);
  };
  const message = (/** @type {Record<string, unknown>} */ more) =>
    line({ message: { role: 'assistant', content: '', ...more }, done: false });
  for (const block of reply.blocks) {
    if (block.type === 'call') {
      message({
        tool_calls: [{ id: newId('call'), function: { index: 0, name: block.name, arguments: block.input } }],
      });
      continue;
    }
    for (const delta of deltas(block)) {
      if (response.destroyed) return;
      message(block.type === 'thinking' ? { thinking: delta } : { content: delta });
      if (block.delayMs) await sleep(block.delayMs);
    }
  }
  if (reply.cut === 'drop') return response.socket?.destroy();
  if (reply.cut === 'error') return response.end('{"error":"stand-in: the model runner has stopped"}\n');
  const output = reply.blocks.reduce((sum, block) => sum + (block.type === 'call' ? 50 : tokensOf(block.text)), 0);
  line({
    message: { role: 'assistant', content: '' },
    done: true,
    done_reason: reply.stop === 'max_tokens' ? 'length' : 'stop',
    total_duration: 1_000_000,
    prompt_eval_count: 1000 + 10 * entries,
    eval_count: output,
  });
  response.end();
}

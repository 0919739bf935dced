// OpenAI's Responses API, as far as `codex` uses it: a reply told as its server-sent events.

import { tokensOf } from './blocks.mjs';
import { EventStream, newId, sendJson } from './event_stream.mjs';

/** @typedef {import('./messages_api.mjs').SettledReply} SettledReply */
/** @typedef {(name: string, data: Record<string, unknown>) => void} Send */

/**
 * @param {import('node:http').ServerResponse} response
 * @param {any} body the request's
 * @param {SettledReply} reply
 * @param {number} entries of the conversation, for a plausible count of tokens
 */
export async function answerResponses(response, body, reply, entries) {
  if (reply.failure) {
    const { status, type, message, headers } = reply.failure;
    return sendJson(response, status, { error: { message, type, param: null, code: type } }, headers);
  }
  const stream = new EventStream(response);
  const id = newId('resp');
  let sequence = 0;
  /** @type {Send} */
  const send = (name, data) => stream.send(name, { sequence_number: sequence++, ...data });
  const about = (/** @type {string} */ status, /** @type {Record<string, unknown>} */ more = {}) => ({
    response: {
      id,
      object: 'response',
      created_at: 1790000000,
      status,
      model: body.model,
      output: [],
      parallel_tool_calls: true,
      tools: [],
      ...more,
    },
  });
  send('response.created', about('in_progress'));
  send('response.in_progress', about('in_progress'));
  /** @type {unknown[]} */
  const output = [];
  for (const [index, block] of reply.blocks.entries()) {
    const cut = index === reply.blocks.length - 1 ? reply.cut : undefined;
    const item = await streamBlock(stream, send, block, index, cut);
    if (item) output.push(item);
    else if (cut === 'drop') return stream.drop();
    else {
      send(
        'response.failed',
        about('failed', { error: { code: 'server_error', message: 'stand-in: failed in the middle of the stream' } }),
      );
      return stream.end();
    }
  }
  const usage = usageOf(reply, entries);
  if (reply.stop === 'max_tokens')
    send(
      'response.incomplete',
      about('incomplete', { output, usage, incomplete_details: { reason: 'max_output_tokens' } }),
    );
  else send('response.completed', about('completed', { output, usage }));
  stream.end();
}

/**
 * @param {EventStream} stream
 * @param {Send} send
 * @param {import('./messages_api.mjs').SettledBlock} block
 * @param {number} index
 * @param {'drop' | 'error' | undefined} cut
 * @returns {Promise<unknown>} the finished item; null when the stream is to break off
 */
async function streamBlock(stream, send, block, index, cut) {
  switch (block.type) {
    case 'thinking':
      return streamReasoning(stream, send, block, index);
    case 'text':
      return streamMessage(stream, send, block, index, cut);
    case 'call':
      if (block.web) return sendWebSearch(send, block, index);
      return block.search ? sendSearch(send, block, index) : streamCall(stream, send, block, index);
  }
}

/**
 * @param {EventStream} stream
 * @param {Send} send
 * @param {import('./blocks.mjs').ThinkingBlock} block
 * @param {number} index
 */
async function streamReasoning(stream, send, block, index) {
  const at = { item_id: newId('rs'), output_index: index, summary_index: 0 };
  const part = (/** @type {string} */ text) => ({ type: 'summary_text', text });
  send('response.output_item.added', { output_index: index, item: { type: 'reasoning', id: at.item_id, summary: [] } });
  send('response.reasoning_summary_part.added', { ...at, part: part('') });
  await stream.pump(block, (delta) => send('response.reasoning_summary_text.delta', { ...at, delta }));
  send('response.reasoning_summary_text.done', { ...at, text: block.text });
  send('response.reasoning_summary_part.done', { ...at, part: part(block.text) });
  const item = { type: 'reasoning', id: at.item_id, summary: [part(block.text)], encrypted_content: 'c3RhbmQtaW4=' };
  send('response.output_item.done', { output_index: index, item });
  return item;
}

/**
 * @param {EventStream} stream
 * @param {Send} send
 * @param {import('./blocks.mjs').TextBlock} block
 * @param {number} index
 * @param {'drop' | 'error' | undefined} cut
 */
async function streamMessage(stream, send, block, index, cut) {
  const at = { item_id: newId('msg'), output_index: index, content_index: 0 };
  const part = (/** @type {string} */ text) => ({ type: 'output_text', text, annotations: [] });
  const message = { type: 'message', id: at.item_id, role: 'assistant' };
  send('response.output_item.added', { output_index: index, item: { ...message, status: 'in_progress', content: [] } });
  send('response.content_part.added', { ...at, part: part('') });
  await stream.pump(block, (delta) => send('response.output_text.delta', { ...at, delta, logprobs: [] }));
  if (cut) return null;
  send('response.output_text.done', { ...at, text: block.text, logprobs: [] });
  send('response.content_part.done', { ...at, part: part(block.text) });
  const item = { ...message, status: 'completed', content: [part(block.text)] };
  send('response.output_item.done', { output_index: index, item });
  return item;
}

/**
 * @param {EventStream} stream
 * @param {Send} send
 * @param {import('./blocks.mjs').CallBlock} block
 * @param {number} index
 */
async function streamCall(stream, send, block, index) {
  const id = newId(block.custom ? 'ctc' : 'fc');
  const field = block.custom ? 'input' : 'arguments';
  const event = block.custom ? 'response.custom_tool_call_input' : 'response.function_call_arguments';
  const words = block.custom ? block.input : JSON.stringify(block.input);
  const call = {
    type: block.custom ? 'custom_tool_call' : 'function_call',
    id,
    call_id: newId('call'),
    name: block.name,
    ...(block.namespace ? { namespace: block.namespace } : {}),
  };
  send('response.output_item.added', { output_index: index, item: { ...call, [field]: '', status: 'in_progress' } });
  await stream.pump({ text: words, chunk: 60 }, (delta) =>
    send(`${event}.delta`, { item_id: id, output_index: index, delta }),
  );
  send(`${event}.done`, { item_id: id, output_index: index, [field]: words });
  const item = { ...call, [field]: words, status: 'completed' };
  send('response.output_item.done', { output_index: index, item });
  return item;
}

/**
 * A search for tools, which the CLI itself carries out.
 * @param {Send} send
 * @param {import('./blocks.mjs').CallBlock} block
 * @param {number} index
 */
function sendSearch(send, block, index) {
  const item = {
    type: 'tool_search_call',
    id: newId('ts'),
    call_id: newId('call'),
    execution: 'client',
    arguments: block.input,
  };
  send('response.output_item.added', { output_index: index, item: { ...item, status: 'in_progress' } });
  send('response.output_item.done', { output_index: index, item: { ...item, status: 'completed' } });
  return { ...item, status: 'completed' };
}

/**
 * A search of the web, which the vendor itself carries out inside the reply.
 * @param {Send} send
 * @param {import('./blocks.mjs').CallBlock} block
 * @param {number} index
 */
function sendWebSearch(send, block, index) {
  const item = { type: 'web_search_call', id: newId('ws'), action: { type: 'search', ...block.input } };
  send('response.output_item.added', { output_index: index, item: { ...item, status: 'in_progress' } });
  send('response.output_item.done', { output_index: index, item: { ...item, status: 'completed' } });
  return { ...item, status: 'completed' };
}

/**
 * @param {SettledReply} reply
 * @param {number} entries
 */
function usageOf(reply, entries) {
  const count = (/** @type {string} */ type) =>
    reply.blocks
      .filter((block) => block.type === type)
      .reduce((sum, block) => sum + (block.type === 'call' ? 50 : tokensOf(block.text)), 0);
  const reasoning = count('thinking');
  const input = 1500 + 10 * entries;
  const output = reasoning + count('text') + count('call');
  return {
    input_tokens: input,
    input_tokens_details: { cached_tokens: 300 },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: reasoning },
    total_tokens: input + output,
  };
}

// Anthropic's Messages API, as far as `claude` uses it: a reply told as its server-sent events, or whole.

import { tokensOf } from './blocks.mjs';
import { EventStream, newId, sendJson } from './event_stream.mjs';

/** @typedef {import('./blocks.mjs').TextBlock | import('./blocks.mjs').ThinkingBlock | import('./blocks.mjs').CallBlock} SettledBlock */
/** @typedef {Omit<import('./blocks.mjs').Reply, 'blocks'> & { blocks: SettledBlock[] }} SettledReply */

const SIGNATURE = Buffer.from('signed by the stand-in').toString('base64');

/**
 * @param {import('node:http').ServerResponse} response
 * @param {any} body the request's
 * @param {SettledReply} reply
 * @param {number} entries of the conversation, for a plausible count of tokens
 */
export async function answerMessages(response, body, reply, entries) {
  if (reply.failure) {
    const { status, type, message, headers } = reply.failure;
    return sendJson(response, status, { type: 'error', error: { type, message }, request_id: newId('req') }, headers);
  }
  const message = { id: newId('msg'), type: 'message', role: 'assistant', model: body.model, stop_sequence: null };
  const usage = startUsage(entries);
  const output = reply.blocks.reduce((sum, block) => sum + (block.type === 'call' ? 50 : tokensOf(block.text)), 0);
  const stop = reply.stop ?? (reply.blocks.some((block) => block.type === 'call') ? 'tool_use' : 'end_turn');
  if (!body.stream) {
    const content = reply.blocks.map((block) => wholeBlock(block));
    return sendJson(response, 200, {
      ...message,
      content,
      stop_reason: stop,
      usage: { ...usage, output_tokens: output },
    });
  }
  const stream = new EventStream(response);
  stream.send('message_start', { message: { ...message, content: [], stop_reason: null, usage } });
  for (const [index, block] of reply.blocks.entries()) {
    await streamBlock(stream, block, index);
    if (reply.cut && index === reply.blocks.length - 1) return breakOff(stream, reply.cut);
    stream.send('content_block_stop', { index });
  }
  stream.send('message_delta', {
    delta: { stop_reason: stop, stop_sequence: null },
    usage: { ...usage, output_tokens: output },
  });
  stream.send('message_stop', {});
  stream.end();
}

/** @param {number} entries */
function startUsage(entries) {
  return {
    input_tokens: 1000 + 10 * entries,
    cache_creation_input_tokens: 200,
    cache_read_input_tokens: 300,
    cache_creation: { ephemeral_5m_input_tokens: 200, ephemeral_1h_input_tokens: 0 },
    output_tokens: 1,
    service_tier: 'standard',
  };
}

/**
 * @param {EventStream} stream
 * @param {SettledBlock} block
 * @param {number} index
 */
async function streamBlock(stream, block, index) {
  const delta = (/** @type {Record<string, unknown>} */ change) =>
    stream.send('content_block_delta', { index, delta: change });
  const start = (/** @type {Record<string, unknown>} */ content) =>
    stream.send('content_block_start', { index, content_block: content });
  switch (block.type) {
    case 'text':
      start({ type: 'text', text: '' });
      return stream.pump(block, (words) => delta({ type: 'text_delta', text: words }));
    case 'thinking':
      start({ type: 'thinking', thinking: '', signature: '' });
      await stream.pump(block, (words) => delta({ type: 'thinking_delta', thinking: words }));
      return delta({ type: 'signature_delta', signature: SIGNATURE });
    case 'call':
      start({ type: 'tool_use', id: newId('toolu'), name: block.name, input: {} });
      return stream.pump({ text: JSON.stringify(block.input), chunk: 40 }, (json) =>
        delta({ type: 'input_json_delta', partial_json: json }),
      );
  }
}

/** @param {SettledBlock} block */
function wholeBlock(block) {
  switch (block.type) {
    case 'text':
      return { type: 'text', text: block.text };
    case 'thinking':
      return { type: 'thinking', thinking: block.text, signature: SIGNATURE };
    case 'call':
      return { type: 'tool_use', id: newId('toolu'), name: block.name, input: block.input };
  }
}

/**
 * @param {EventStream} stream
 * @param {'drop' | 'error'} how
 */
function breakOff(stream, how) {
  if (how === 'drop') return stream.drop();
  stream.send('error', {
    error: { type: 'overloaded_error', message: 'stand-in: overloaded in the middle of the stream' },
  });
  stream.end();
}

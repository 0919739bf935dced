// OpenAI's Chat Completions API, as qwen, opencode and many others use it: a reply told in its chunks, or whole.

import { tokensOf } from './blocks.mjs';
import { EventStream, newId, sendJson } from './event_stream.mjs';

/** @typedef {import('./messages_api.mjs').SettledBlock} SettledBlock */
/** @typedef {import('./messages_api.mjs').SettledReply} SettledReply */

/**
 * @param {any} body of a request
 * @returns {import('./conversation.mjs').Conversation}
 */
export function fromChat(body) {
  const messages = body.messages ?? [];
  const isSystem = (/** @type {any} */ { role }) => role === 'system' || role === 'developer';
  return {
    entries: messages
      .filter((/** @type {any} */ message) => !isSystem(message))
      .map((/** @type {any} */ { role, content }) => ({ role, text: flat(content) })),
    tools: (body.tools ?? []).map((/** @type {any} */ { function: offered }) => ({
      name: offered.name,
      schema: offered.parameters,
    })),
    system: messages
      .filter(isSystem)
      .map((/** @type {any} */ { content }) => flat(content))
      .join('\n'),
  };
}

/** @param {any} content */
function flat(content) {
  if (typeof content === 'string') return content;
  return Array.isArray(content) ? content.map((part) => part.text ?? '').join('\n') : '';
}

/**
 * @param {import('node:http').ServerResponse} response
 * @param {any} body the request's
 * @param {SettledReply} reply
 * @param {number} entries of the conversation, for a plausible count of tokens
 */
export async function answerChat(response, body, reply, entries) {
  if (reply.failure) {
    const { status, type, message, headers } = reply.failure;
    return sendJson(response, status, { error: { message, type, param: null, code: type } }, headers);
  }
  const head = { id: newId('chatcmpl'), created: Math.floor(Date.now() / 1000), model: body.model };
  const usage = usageOf(reply, entries);
  if (!body.stream) {
    const choices = [{ index: 0, finish_reason: finishOf(reply), message: wholeMessage(reply) }];
    return sendJson(response, 200, { ...head, object: 'chat.completion', choices, usage });
  }
  const stream = new EventStream(response);
  const chunk = (/** @type {Record<string, unknown>} */ more) =>
    stream.data({ ...head, object: 'chat.completion.chunk', ...more });
  const delta = (/** @type {Record<string, unknown>} */ change, finish_reason = /** @type {string | null} */ (null)) =>
    chunk({ choices: [{ index: 0, delta: change, finish_reason }] });
  delta({ role: 'assistant', content: '' });
  for (const [index, block] of reply.blocks.entries()) {
    await streamBlock(stream, delta, block, callsBefore(reply.blocks, index));
    if (reply.cut && index === reply.blocks.length - 1) return breakOff(stream, reply.cut);
  }
  delta({}, finishOf(reply));
  chunk({ choices: [], usage });
  stream.data('[DONE]');
  stream.end();
}

/**
 * @param {EventStream} stream
 * @param {(change: Record<string, unknown>) => void} delta
 * @param {SettledBlock} block
 * @param {number} index of the call among the calls
 */
async function streamBlock(stream, delta, block, index) {
  switch (block.type) {
    case 'text':
      return stream.pump(block, (words) => delta({ content: words }));
    case 'thinking':
      return stream.pump(block, (words) => delta({ reasoning_content: words }));
    case 'call':
      delta({
        tool_calls: [{ index, id: newId('call'), type: 'function', function: { name: block.name, arguments: '' } }],
      });
      return stream.pump({ text: JSON.stringify(block.input), chunk: 40 }, (json) =>
        delta({ tool_calls: [{ index, function: { arguments: json } }] }),
      );
  }
}

/**
 * @param {SettledBlock[]} blocks
 * @param {number} end
 */
const callsBefore = (blocks, end) => blocks.slice(0, end).filter((block) => block.type === 'call').length;

/** @param {SettledReply} reply */
function finishOf({ stop, blocks }) {
  if (stop === 'max_tokens') return 'length';
  if (stop === 'refusal') return 'content_filter';
  return blocks.some((block) => block.type === 'call') ? 'tool_calls' : 'stop';
}

/** @param {SettledReply} reply */
function wholeMessage({ blocks }) {
  const words = (/** @type {string} */ type) =>
    blocks.map((block) => (block.type === type && 'text' in block ? block.text : '')).join('');
  const calls = blocks.flatMap((block) =>
    block.type === 'call'
      ? [
          {
            id: newId('call'),
            type: 'function',
            function: { name: block.name, arguments: JSON.stringify(block.input) },
          },
        ]
      : [],
  );
  return {
    role: 'assistant',
    content: words('text'),
    reasoning_content: words('thinking') || undefined,
    tool_calls: calls.length > 0 ? calls : undefined,
  };
}

/**
 * @param {SettledReply} reply
 * @param {number} entries
 */
function usageOf({ blocks }, entries) {
  const output = blocks.reduce((sum, block) => sum + (block.type === 'call' ? 50 : tokensOf(block.text)), 0);
  const input = 900 + 10 * entries;
  return {
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    prompt_tokens_details: { cached_tokens: 100 },
    completion_tokens_details: { reasoning_tokens: 0 },
  };
}

/**
 * @param {EventStream} stream
 * @param {'drop' | 'error'} how
 */
function breakOff(stream, how) {
  if (how === 'drop') return stream.drop();
  stream.data({
    error: { message: 'stand-in: overloaded in the middle of the stream', type: 'overloaded_error', code: 503 },
  });
  stream.end();
}

#!/usr/bin/env node
// An MCP server on stdio whose tools come and go, fail and hang: what a client of servers has to stand.

import { createInterface } from 'node:readline';

const tool = (/** @type {string} */ name, readOnlyHint = false) => ({
  name,
  description: `The tool ${name}`,
  inputSchema: { type: 'object', properties: { text: { type: 'string' } } },
  annotations: { readOnlyHint },
});

let tools = [tool('echo', true), tool('grow'), tool('fail'), tool('hang'), tool('leave')];

/** @param {Record<string, unknown>} message */
const send = (message) => process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);

/**
 * @param {unknown} id
 * @param {string} text
 * @param {boolean} [isError]
 */
const answer = (id, text, isError) => send({ id, result: { content: [{ type: 'text', text }], isError } });

/**
 * @param {unknown} id
 * @param {{ name: string, arguments?: Record<string, unknown> }} params
 */
function call(id, { name, arguments: input }) {
  switch (name) {
    case 'grow':
      tools = [...tools.filter((one) => one.name !== 'grow'), tool('grown')];
      send({ method: 'notifications/tools/list_changed' });
      return answer(id, 'there is another tool now');
    case 'fail':
      return answer(id, 'it went wrong', true);
    case 'hang':
      return undefined;
    case 'leave':
      return process.exit(4);
    default:
      return answer(id, `${name}: ${JSON.stringify(input)}`);
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const { id, method, params } = JSON.parse(line);
  if (method === 'initialize') {
    const capabilities = { tools: { listChanged: true } };
    const serverInfo = { name: 'growing', version: '1.0.0' };
    send({ id, result: { protocolVersion: params.protocolVersion, capabilities, serverInfo } });
  } else if (method === 'tools/list') send({ id, result: { tools } });
  else if (method === 'tools/call') call(id, params);
  else if (id !== undefined) send({ id, error: { code: -32601, message: `no method ${method}` } });
}

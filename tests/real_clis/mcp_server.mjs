#!/usr/bin/env node
// An MCP server on stdio with one tool: `echo` gives back its text. For the tests of how agents call the tools of a server.
//
// What it was called with goes to the file that the first argument names, one JSON line for each call.

import { appendFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const log = process.argv[2];

const TOOL = {
  name: 'echo',
  description: 'Gives back the text',
  inputSchema: { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] },
};

/** @type {Record<string, (params: any) => unknown>} */
const methods = {
  initialize: ({ protocolVersion }) => ({
    protocolVersion,
    capabilities: { tools: {} },
    serverInfo: { name: 'lighthouse', version: '1.0.0' },
  }),
  ping: () => ({}),
  'tools/list': () => ({ tools: [TOOL] }),
  'tools/call': ({ name, arguments: input }) => {
    if (log) appendFileSync(log, `${JSON.stringify({ name, input })}\n`);
    return { content: [{ type: 'text', text: `echo: ${input?.text}` }] };
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { id, method, params } = JSON.parse(line);
  if (id === undefined) continue;
  const answer = methods[method];
  const said = answer ? { result: answer(params ?? {}) } : { error: { code: -32601, message: `no method ${method}` } };
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', id, ...said })}\n`);
}

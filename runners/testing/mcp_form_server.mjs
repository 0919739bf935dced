#!/usr/bin/env node
// An MCP server on stdio whose one tool asks its user for input (an elicitation) before it gives back what was filled in.

import { createInterface } from 'node:readline';

const TOOL = {
  name: 'echo',
  description: 'Gives back what the user fills in',
  inputSchema: { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] },
};
const FORM = {
  message: 'About the tower',
  requestedSchema: {
    type: 'object',
    properties: {
      floors: { type: 'integer', title: 'Floors', minimum: 1 },
      colour: { type: 'string', title: 'Colour', enum: ['red', 'white'] },
      lit: { type: 'boolean', title: 'Lit' },
    },
    required: ['floors', 'colour'],
  },
};

/** Who waits for the form's answer, by id. @type {Map<string, (result: any) => void>} */
const waiting = new Map();
/** @param {Record<string, unknown>} message */
const send = (message) => process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);

/** @type {Record<string, (params: any) => unknown>} */
const methods = {
  initialize: ({ protocolVersion }) => ({
    protocolVersion,
    capabilities: { tools: {} },
    serverInfo: { name: 'tower', version: '1.0.0' },
  }),
  ping: () => ({}),
  'tools/list': () => ({ tools: [TOOL] }),
  'tools/call': async () => {
    const id = `form-${waiting.size + 1}`;
    const filled = await new Promise((resolve) => {
      waiting.set(id, resolve);
      send({ id, method: 'elicitation/create', params: FORM });
    });
    return { content: [{ type: 'text', text: `filled in: ${JSON.stringify(filled)}` }] };
  },
};

/** @param {Record<string, any>} message */
async function hear({ id, method, params, result, error }) {
  if (method === undefined) return waiting.get(id)?.(result ?? { error });
  if (id === undefined) return;
  const answer = methods[method];
  if (answer) send({ id, result: await answer(params ?? {}) });
  else send({ id, error: { code: -32601, message: `no method ${method}` } });
}

for await (const line of createInterface({ input: process.stdin })) void hear(JSON.parse(line));

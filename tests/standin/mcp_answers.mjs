// What the stand-in answers as an MCP server: a tool that gives back a text, and one that fails.

const TOOLS = [
  {
    name: 'echo',
    description: 'Gives the text back.',
    inputSchema: { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] },
  },
  { name: 'fail', description: 'Always fails.', inputSchema: { type: 'object', properties: {} } },
];

/**
 * @param {any} message
 * @returns {Record<string, unknown> | undefined} nothing for a notification
 */
export function mcpAnswer({ id, method, params }) {
  if (id === undefined) return undefined;
  const ok = (/** @type {unknown} */ result) => ({ jsonrpc: '2.0', id, result });
  switch (method) {
    case 'initialize':
      return ok({
        protocolVersion: params?.protocolVersion ?? '2025-06-18',
        capabilities: { tools: {} },
        serverInfo: { name: 'standin', version: '1.0.0' },
      });
    case 'ping':
      return ok({});
    case 'tools/list':
      return ok({ tools: TOOLS });
    case 'tools/call': {
      const isError = params?.name === 'fail';
      const text = isError ? 'it fails on purpose' : `echo: ${params?.arguments?.text}`;
      return ok({ content: [{ type: 'text', text }], isError });
    }
    default:
      return { jsonrpc: '2.0', id, error: { code: -32601, message: `no method ${method}` } };
  }
}

import { McpServer } from '@modelcontextprotocol/server';
import { StdioServerTransport } from '@modelcontextprotocol/server/stdio';
import { z } from 'zod';

const server = new McpServer({ name: 'words', version: '1.0.0' });

server.registerTool(
  'count_words',
  {
    description: 'Counts the words of a text',
    inputSchema: z.object({ text: z.string().describe('The text') }),
    annotations: { readOnlyHint: true },
  },
  async ({ text }) => {
    const count = text.split(/\s+/).filter(Boolean).length;
    // stdout is the connection. What is for people goes to stderr, and from there into the sidecar's log.
    console.error(`counted ${count} words`);
    return { content: [{ type: 'text', text: `${count} words` }] };
  },
);

await server.connect(new StdioServerTransport());

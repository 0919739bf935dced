#!/usr/bin/env node
// A stand-in for the vendors' HTTP APIs, so that the real CLIs run without an account and without a network.
//
//   node tests/standin/standin.mjs [--port 0] [--log FILE] [--plays FILE]      prints {"port":N} when it listens, on 127.0.0.1 only
//
// Speaks Anthropic's Messages API, OpenAI's Responses and Chat Completions APIs, Google's generateContent and Ollama's own API,
// is an MCP server over HTTP at /mcp, and has a page to fetch at /lighthouse. What it answers is chosen by the prompt, see scenarios.mjs and plays.mjs.
// With --log each request becomes one JSON line: api, scenario, step, model, tools, images, the last user message, and the history:
// the beginning of everything that was said in the conversation, so that a test sees what a resumed one still holds.

import { appendFileSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { text } from './blocks.mjs';
import { answerChat, fromChat } from './chat_api.mjs';
import { fromMessages, fromOllama, fromResponses, nextReply } from './conversation.mjs';
import { sendJson } from './event_stream.mjs';
import { answerGemini, fromGemini, geminiRoute } from './gemini_api.mjs';
import { mcpAnswer } from './mcp_answers.mjs';
import { answerMessages } from './messages_api.mjs';
import { answerOllamaChat, answerOllamaQuestion } from './ollama_api.mjs';
import { readPlays } from './plays.mjs';
import { answerResponses } from './responses_api.mjs';
import { chooseTool } from './tool_choice.mjs';

/**
 * @typedef {object} StandIn
 * @property {number} port
 * @property {string} url without a slash at the end
 * @property {Record<string, any>[]} requests what the CLIs asked for, in order
 * @property {() => Promise<void>} close
 */

/**
 * Starts a stand-in in this process.
 * @param {{ port?: number, log?: string, plays?: string }} [options]
 * @returns {Promise<StandIn>}
 */
export async function startStandIn({ port = 0, log, plays } = {}) {
  const script = new Script(log, plays === undefined ? [] : readPlays(plays));
  const server = http.createServer((request, response) => void script.serve(request, response));
  // Codex tries a WebSocket first and falls back when it is refused like this.
  server.on('upgrade', (_request, socket) =>
    socket.end('HTTP/1.1 426 Upgrade Required\r\nconnection: close\r\ncontent-length: 0\r\n\r\n'),
  );
  await new Promise((resolve, reject) =>
    server.once('error', reject).listen(port, '127.0.0.1', () => resolve(undefined)),
  );
  const address = /** @type {import('node:net').AddressInfo} */ (server.address());
  return {
    port: address.port,
    url: `http://127.0.0.1:${address.port}`,
    requests: script.requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** How much of each entry the log keeps, in characters: CLIs put long reminders in front of what was said. */
const HISTORY_TEXT = 20_000;

/** Something to fetch for tools that fetch pages. */
const PAGE =
  '<!doctype html><html><head><title>The lighthouse</title></head><body><article><h1>The lighthouse</h1>' +
  '<p>Its lamp turns once in ten seconds, and its lens is as tall as a keeper.</p></article></body></html>';

/** Answers requests and remembers them. */
class Script {
  #log;
  #plays;
  /** How often a scenario that fails at first has failed, by conversation. @type {Map<string, number>} */
  #failures = new Map();
  /** @type {Record<string, any>[]} */ requests = [];

  /**
   * @param {string | undefined} log
   * @param {import('./plays.mjs').Play[]} plays
   */
  constructor(log, plays) {
    this.#log = log;
    this.#plays = plays;
  }

  /**
   * @param {http.IncomingMessage} request
   * @param {http.ServerResponse} response
   */
  async serve(request, response) {
    try {
      const chunks = [];
      for await (const chunk of request) chunks.push(chunk);
      const body = chunks.length > 0 ? JSON.parse(Buffer.concat(chunks).toString('utf8')) : {};
      await this.#answer(request, response, body);
    } catch (error) {
      this.#note({ api: 'failed', path: request.url, error: String(error) });
      if (!response.headersSent) sendJson(response, 500, { error: { message: `stand-in: ${error}` } });
      else response.destroy();
    }
  }

  /**
   * @param {http.IncomingMessage} request
   * @param {http.ServerResponse} response
   * @param {any} body
   */
  async #answer(request, response, body) {
    const { pathname } = new URL(request.url ?? '/', 'http://stand-in');
    const route = `${request.method} ${pathname.replace(/^(\/v1)+/, '')}`;
    const gemini = geminiRoute(pathname);
    if (gemini) return this.#answerGemini(response, gemini, body);
    switch (route) {
      case 'POST /chat/completions': {
        const conversation = fromChat(body);
        return answerChat(response, body, this.#reply('chat', conversation, body), conversation.entries.length);
      }
      case 'POST /messages': {
        const conversation = fromMessages(body);
        return answerMessages(response, body, this.#reply('messages', conversation, body), conversation.entries.length);
      }
      case 'POST /responses': {
        const conversation = fromResponses(body);
        return answerResponses(
          response,
          body,
          this.#reply('responses', conversation, body),
          conversation.entries.length,
        );
      }
      case 'POST /api/chat': {
        const conversation = fromOllama(body);
        const reply = this.#reply('ollama', conversation, body);
        return answerOllamaChat(response, body, reply, conversation.entries.length);
      }
      case 'POST /mcp': {
        const answer = mcpAnswer(body);
        this.#note({ api: 'mcp', method: body.method, name: body.params?.name });
        return answer ? sendJson(response, 200, answer) : response.writeHead(202).end();
      }
      case 'POST /messages/count_tokens':
        return sendJson(response, 200, { input_tokens: 1234 });
      case 'GET /lighthouse':
        return response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(PAGE);
      case 'GET /models':
        return sendJson(response, 200, { object: 'list', data: [], has_more: false, models: [] });
      default:
        if (answerOllamaQuestion(response, route, body)) return undefined;
        this.#note({ api: 'unknown', route });
        if (request.method === 'HEAD') return response.writeHead(200).end();
        return sendJson(response, 404, {
          type: 'error',
          error: { type: 'not_found_error', message: `stand-in: no ${route}` },
        });
    }
  }

  /**
   * @param {http.ServerResponse} response
   * @param {{ model: string, method: string }} route
   * @param {any} body
   */
  #answerGemini(response, route, body) {
    if (route.method === 'countTokens') return sendJson(response, 200, { totalTokens: 1234 });
    const conversation = fromGemini(body);
    const reply = this.#reply('gemini', conversation, { ...body, model: route.model });
    return answerGemini(response, route, reply, conversation.entries.length);
  }

  /**
   * @param {string} api
   * @param {import('./conversation.mjs').Conversation} conversation
   * @param {any} body
   * @returns {import('./messages_api.mjs').SettledReply}
   */
  #reply(api, conversation, body) {
    const { scenario, step, reply } = nextReply(conversation, this.#plays);
    const tools = conversation.tools.map((offered) => offered.name);
    const lastUser = conversation.entries.findLast((entry) => entry.role === 'user')?.text ?? '';
    const history = conversation.entries.map((entry) => ({
      role: entry.role,
      text: entry.text.slice(0, HISTORY_TEXT),
    }));
    const { system, images } = conversation;
    const effort = body.reasoning?.effort ?? body.output_config?.effort;
    this.#note({ api, scenario, step, model: body.model, effort, tools, system, images, lastUser, history });
    const blocks = reply.blocks.map((block) => {
      if (block.type !== 'tool') return block;
      const none = text(`(the CLI offers no tool that can “${block.want.do}”; it offers: ${tools.join(', ')})`);
      return chooseTool(block.want, conversation) ?? none;
    });
    const settled = { ...reply, blocks };
    if (reply.failure?.times !== undefined && this.#hasFailed(scenario, conversation) >= reply.failure.times)
      delete settled.failure;
    return settled;
  }

  /**
   * Counts one more try.
   * @param {string} scenario
   * @param {import('./conversation.mjs').Conversation} conversation
   * @returns {number} how often it was tried before
   */
  #hasFailed(scenario, conversation) {
    const key = `${scenario} ${conversation.entries
      .filter((entry) => entry.role === 'user')
      .map((entry) => entry.text)
      .join()}`;
    const before = this.#failures.get(key) ?? 0;
    this.#failures.set(key, before + 1);
    return before;
  }

  /** @param {Record<string, any>} entry */
  #note(entry) {
    this.requests.push(entry);
    if (this.#log) appendFileSync(this.#log, `${JSON.stringify(entry)}\n`);
  }
}

if (process.argv[1] && path.resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: { port: { type: 'string', default: '0' }, log: { type: 'string' }, plays: { type: 'string' } },
  });
  const standIn = await startStandIn({ port: Number(values.port), log: values.log, plays: values.plays });
  process.stdout.write(`${JSON.stringify({ port: standIn.port })}\n`);
}

// Which conversation does a request carry, and which scripted reply comes next?
//
// Both vendors' requests become one form: who said what, in order, and which tools are offered.

import { text } from './blocks.mjs';
import { scenarios } from './scenarios.mjs';

/**
 * Who said what. `search` marks what a search for tools gave: the CLI offers more tools after it.
 * @typedef {{ role: 'user' | 'assistant' | 'tool' | 'system', text: string, search?: boolean }} Entry
 */
/**
 * @typedef {object} OfferedTool
 * @property {string} name
 * @property {any} [schema] of its input
 * @property {boolean} [custom] takes free text instead of an object
 * @property {boolean} [builtin] the vendor's own, known by its type
 * @property {string} [namespace]
 */
/** @typedef {{ entries: Entry[], tools: OfferedTool[], system: string, images: number }} Conversation */
/** @typedef {{ scenario: string, step: number, reply: import('./blocks.mjs').Reply }} Choice */

const MARK = /SCENARIO:([a-z0-9-]+)((?:[ \t]+[a-z_]+=\S+)*)/g;

/**
 * @param {Conversation} conversation
 * @param {import('./plays.mjs').Play[]} [plays] for prompts that name no scenario
 * @returns {Choice}
 */
export function nextReply(conversation, plays = []) {
  const marked = lastMark(conversation.entries);
  if (!marked) return ofPlay(conversation, plays) ?? only('none', NO_SCENARIO);
  if (conversation.tools.length === 0 && asksForTitle(conversation)) return only('title', 'A title by the stand-in');
  const scenario = scenarios[marked.name];
  if (!scenario) return only(marked.name, `The stand-in knows no scenario “${marked.name}”.`);
  const step = repliesSince(conversation.entries, marked.at);
  const replies = scenario(marked.options, conversation);
  const reply = Array.isArray(replies) ? replies[step] : replies;
  return { scenario: marked.name, step, reply: reply ?? { blocks: [text('(the scenario is over)')] } };
}

const NO_SCENARIO = 'A reply of the stand-in: the prompt names no scenario.';

/**
 * @param {Conversation} conversation
 * @param {import('./plays.mjs').Play[]} plays
 * @returns {Choice | null}
 */
function ofPlay(conversation, plays) {
  const { entries, tools } = conversation;
  const at = entries.findLastIndex(
    ({ role, text: said }) => role === 'user' && plays.some((play) => begins(play, said)),
  );
  const play = at < 0 ? undefined : plays.find((one) => begins(one, entries[at].text));
  if (!play) return null;
  if (tools.length === 0) return only('title', play.prompt);
  const step = repliesSince(entries, at);
  return { scenario: 'play', step, reply: play.replies[step] ?? { blocks: [text('That is all.')] } };
}

/**
 * @param {import('./plays.mjs').Play} play
 * @param {string} said
 */
const begins = (play, said) => said.includes(play.prompt);

/**
 * @param {string} scenario
 * @param {string} words
 * @returns {Choice}
 */
const only = (scenario, words) => ({ scenario, step: 0, reply: { blocks: [text(words)] } });

/** @param {Entry[]} entries */
function lastMark(entries) {
  for (let at = entries.length - 1; at >= 0; at--) {
    if (entries[at].role !== 'user') continue;
    const mark = [...entries[at].text.matchAll(MARK)].at(-1);
    if (!mark) continue;
    const pairs = (mark[2] ?? '').trim().split(/\s+/).filter(Boolean);
    const options = Object.fromEntries(
      pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
    );
    return { at, name: mark[1], options };
  }
  return null;
}

/**
 * How often the model has answered since an entry; several pieces of one answer count once, and an answer that only
 * searched for the tool it needs is given again.
 * @param {Entry[]} entries
 * @param {number} at
 */
function repliesSince(entries, at) {
  let replies = 0;
  for (let i = at + 1; i < entries.length; i++) {
    if (entries[i].role === 'assistant' && entries[i - 1].role !== 'assistant') replies += 1;
    if (entries[i].search) replies -= 1;
  }
  return replies;
}

/** @param {Conversation} conversation */
function asksForTitle({ system, entries }) {
  return /\b(title|summar|topic)/i.test(`${system} ${entries.map((entry) => entry.text).join(' ')}`);
}

/**
 * @param {any} body of an Anthropic Messages request
 * @returns {Conversation}
 */
export function fromMessages(body) {
  const entries = (body.messages ?? []).flatMap(messageEntries);
  const tools = (body.tools ?? [])
    .filter((/** @type {any} */ offered) => offered.name)
    .map((/** @type {any} */ offered) => ({ name: offered.name, schema: offered.input_schema }));
  return { entries, tools, system: flat(body.system), images: imagesIn(body.messages) };
}

/**
 * @param {any} message
 * @returns {Entry[]}
 */
function messageEntries(message) {
  if (message.role === 'assistant') return [{ role: 'assistant', text: flat(message.content) }];
  if (typeof message.content === 'string') return [{ role: 'user', text: message.content }];
  const results = message.content.filter((/** @type {any} */ part) => part.type === 'tool_result');
  const words = message.content
    .filter((/** @type {any} */ part) => part.type === 'text')
    .map((/** @type {any} */ part) => part.text)
    .join('\n');
  /** @type {Entry[]} */
  const entries = [];
  const search = results.some((/** @type {any} */ part) =>
    JSON.stringify(part.content ?? '').includes('"tool_reference"'),
  );
  if (results.length > 0)
    entries.push({
      role: 'tool',
      text: results.map((/** @type {any} */ part) => flat(part.content)).join('\n'),
      search,
    });
  if (words !== '') entries.push({ role: 'user', text: words });
  return entries;
}

/**
 * @param {any} body of an Ollama chat
 * @returns {Conversation}
 */
export function fromOllama(body) {
  const messages = body.messages ?? [];
  return {
    entries: messages
      .filter((/** @type {any} */ message) => message.role !== 'system')
      .map((/** @type {any} */ message) => ({ role: message.role, text: message.content ?? '' })),
    tools: (body.tools ?? []).map((/** @type {any} */ { function: offered }) => ({
      name: offered.name,
      schema: offered.parameters,
    })),
    system: messages.find((/** @type {any} */ message) => message.role === 'system')?.content ?? '',
    images: messages.flatMap((/** @type {any} */ message) => message.images ?? []).length,
  };
}

/**
 * @param {any} body of an OpenAI Responses request
 * @returns {Conversation}
 */
export function fromResponses(body) {
  const input = typeof body.input === 'string' ? [{ role: 'user', content: body.input }] : (body.input ?? []);
  // Newer models get tools as items of the input, also as results of a search for tools.
  const late = input.filter(
    (/** @type {any} */ item) => item.type === 'additional_tools' || item.type === 'tool_search_output',
  );
  const offered = [...(body.tools ?? []), ...late.flatMap((/** @type {any} */ item) => item.tools ?? [])];
  return {
    entries: input.flatMap(itemEntries),
    tools: offered.flatMap((entry) => offeredTools(entry)),
    system: flat(body.instructions),
    images: imagesIn(input),
  };
}

/**
 * @param {any} item
 * @returns {Entry[]}
 */
function itemEntries(item) {
  const type = item.type ?? 'message';
  if (type === 'additional_tools') return [];
  if (type === 'tool_search_output') {
    return [{ role: 'tool', text: JSON.stringify(item.tools ?? item.output ?? ''), search: true }];
  }
  if (type.endsWith('_output')) return [{ role: 'tool', text: flat(item.output) }];
  if (type !== 'message' || item.role === 'assistant') return [{ role: 'assistant', text: flat(item.content) }];
  return [{ role: item.role === 'user' ? 'user' : 'system', text: flat(item.content) }];
}

/**
 * @param {any} offered
 * @param {string} [namespace]
 * @returns {OfferedTool[]}
 */
function offeredTools(offered, namespace) {
  switch (offered.type) {
    case 'function':
      return [{ name: offered.name, schema: offered.parameters, namespace }];
    case 'custom':
      return [{ name: offered.name, custom: true, namespace }];
    case 'namespace':
      return (offered.tools ?? []).flatMap((/** @type {any} */ inner) =>
        offeredTools({ type: 'function', ...inner }, offered.name === 'functions' ? undefined : offered.name),
      );
    default:
      return [{ name: offered.type, builtin: true }];
  }
}

/**
 * @param {any} messages
 * @returns {number} how many images the conversation holds
 */
const imagesIn = (messages) => (JSON.stringify(messages ?? []).match(/"type":"(?:input_)?image"/g) ?? []).length;

/**
 * @param {any} content
 * @returns {string}
 */
function flat(content) {
  if (typeof content === 'string') return content;
  if (Array.isArray(content))
    return content.map((part) => (typeof part === 'string' ? part : (part.text ?? part.tool_name ?? ''))).join('\n');
  return content?.text ?? '';
}

// What the stand-in's model answers. A prompt names a scenario, `SCENARIO:<name> key=value …`; a scenario is a list of
// replies, one for each time that the model is asked since that prompt, or a function of the conversation.

import { readFileSync } from 'node:fs';

import { text, thinking, tool } from './blocks.mjs';

/** @typedef {import('./blocks.mjs').Reply} Reply */
/** @typedef {import('./conversation.mjs').Conversation} Conversation */
/** @typedef {Record<string, string>} Options */
/** @typedef {{ say?: string, calls?: { tool: string, input: Record<string, unknown> }[] }} Step */
/** @typedef {(options: Options, conversation: Conversation) => Reply[] | Reply} Scenario */

/**
 * @param {...import('./blocks.mjs').Block} blocks
 * @returns {Reply}
 */
const reply = (...blocks) => ({ blocks });

/**
 * @param {number} status
 * @param {string} type
 * @param {string} message
 * @param {Partial<import('./blocks.mjs').Failure>} [more]
 * @returns {Scenario}
 */
const failing =
  (status, type, message, more = {}) =>
  () => [
    {
      blocks: [text('Recovered after a failed request.')],
      failure: { status, type, message: `stand-in: ${message}`, ...more },
    },
  ];

/** @type {Record<string, Scenario>} */
export const scenarios = {
  hello: () => [reply(text('Hello from the stand-in model. This is a plain reply.'))],

  think: () => [
    reply(
      thinking('A short question. I consider it for a moment before I answer.'),
      text('I thought about it: the answer is 42.'),
    ),
  ],

  echo: ({ say = '(nothing)' }) => [reply(text(`You said: ${say}`))],

  'write-file': ({ file = 'hello.txt' }) => [
    reply(
      thinking('A file is wanted, so I use the tool that writes one.'),
      text('I write the file now.'),
      tool({ do: 'write', path: file, content: 'hello from the stand-in\nsecond line\n' }),
    ),
    reply(text(`Finished with ${file}.`)),
  ],

  bash: ({ cmd = 'echo to-stdout; echo to-stderr >&2; touch from-bash.txt' }) => [
    reply(text('I run a command.'), tool({ do: 'shell', command: cmd.replaceAll('+', ' ') })),
    reply(text('The command is done.')),
  ],

  'bash-fail': () => [
    reply(text('I run a command that fails.'), tool({ do: 'shell', command: 'echo about to fail; exit 3' })),
    reply(text('It failed with code 3, as intended.')),
  ],

  sleep: ({ s = '60' }) => [
    reply(
      text('I run a long command.'),
      tool({ do: 'shell', command: `echo started; sleep ${Number(s)}; echo finished` }),
    ),
    reply(text('The long command is done.')),
  ],

  multi: ({ file = 'multi.txt' }) => [
    reply(text('First I write.'), tool({ do: 'write', path: file, content: 'one\ntwo\nthree\n' })),
    reply(text('Then I read.'), tool({ do: 'read', path: file })),
    reply(text('Then I count.'), tool({ do: 'shell', command: `wc -l ${file}` })),
    reply(text('All three steps are done.')),
  ],

  parallel: () => [
    reply(
      text('Two commands at once.'),
      tool({ do: 'shell', command: 'echo one of two' }),
      tool({ do: 'shell', command: 'echo two of two' }),
    ),
    reply(text('Both are done.')),
  ],

  ask: () => [
    reply(text('I need a decision.'), tool({ do: 'ask', question: 'Which colour?', options: ['Red', 'Blue'] })),
    reply(text('Thank you for the answer.')),
  ],

  mcp: ({ tool: name = 'echo', say = 'lighthouse' }) => [
    reply(text('I use the tool.'), tool({ do: 'mcp', tool: name, input: { text: say } })),
    reply(text('The tool has answered.')),
  ],

  // A list of steps from a file: words, and calls of tools that MCP servers offer.
  script: ({ path }) =>
    JSON.parse(readFileSync(path, 'utf8')).map((/** @type {Step} */ { say, calls = [] }) =>
      reply(
        ...(say ? [text(say)] : []),
        ...calls.map(({ tool: name, input }) => tool({ do: 'mcp', tool: name, input })),
      ),
    ),

  plan: () => [
    reply(
      text('I make a plan.'),
      tool({
        do: 'plan',
        steps: [
          { step: 'Read the file', status: 'completed' },
          { step: 'Change it', status: 'in_progress' },
          { step: 'Test it', status: 'pending' },
        ],
      }),
    ),
    reply(text('That is the plan.')),
  ],

  tasks: () => [
    reply(text('I note what is to be done.'), tool({ do: 'task-create', subject: 'Trim the wick' })),
    reply(tool({ do: 'task-create', subject: 'Light the lamp' })),
    reply(tool({ do: 'task-update', id: '1', status: 'completed' })),
    reply(tool({ do: 'task-update', id: '2', status: 'in_progress' })),
    reply(text('One of two is done.')),
  ],

  // Newer CLIs want the plan in a file of theirs, whose name they tell the model.
  'leave-plan': ({ file = 'planned.txt' }, { entries, system }) => {
    const plan = '# The plan\n\n1. Write the file';
    const told = [system, ...entries.map((entry) => entry.text)].join('\n');
    const planFile = /\S+\/plans\/[\w.-]+\.md/.exec(told)?.[0];
    const noted = planFile
      ? [reply(text('I note the plan.'), tool({ do: 'write', path: planFile, content: plan }))]
      : [];
    return [
      ...noted,
      reply(text('I have looked around.'), tool({ do: 'leave-plan-mode', plan })),
      reply(text('Now I do it.'), tool({ do: 'write', path: file, content: 'as planned\n' })),
      reply(text('The plan is carried out.')),
    ];
  },

  // The vendor searches inside the reply; other CLIs have a tool for it, and answer after that.
  'web-search': ({ q = 'lighthouse' }) => [
    reply(text('I search the web.'), tool({ do: 'web-search', query: q }), text('I found a lighthouse.')),
    reply(text('That was all.')),
  ],

  // How codex's model proposes a plan in its plan mode.
  'propose-plan': () => [reply(text('<proposed_plan>\n# The plan\n\n- Light the lamp\n</proposed_plan>'))],

  background: ({ s = '1' }) => [
    reply(
      text('I start something in the background.'),
      tool({ do: 'background-shell', command: `sleep ${Number(s)}; echo background done` }),
    ),
    reply(text('It runs in the background.')),
    reply(text('The background command has ended.')),
  ],

  escalate: ({ cmd = 'echo escalated > escalated.txt' }) => [
    reply(
      text('This needs to write.'),
      tool({ do: 'escalated-shell', command: cmd.replaceAll('+', ' '), why: 'It writes a file in the workspace' }),
    ),
    reply(text('The command is done.')),
  ],

  subagent: ({ inner = 'sub-hello', file = '' }, conversation) => delegation(inner, file, conversation),

  'sub-hello': () => [
    reply(
      thinking('I am the one it was delegated to.'),
      text('Hello from the sub-agent.'),
      tool({ do: 'shell', command: 'echo from the sub-agent' }),
    ),
    reply(text('The sub-agent’s answer: all is well.')),
  ],

  slow: ({ chars = '600', chunk = '20', ms = '200' }) => [
    reply(text(filler(Number(chars)), { chunk: Number(chunk), delayMs: Number(ms) })),
  ],

  huge: ({ bytes = '1000000' }) => [reply(text(filler(Number(bytes)), { chunk: 4096 }))],

  'huge-tool': ({ n = '200000' }) => [
    reply(text('A command with a lot of output.'), tool({ do: 'shell', command: `seq 1 ${Number(n)}` })),
    reply(text('That was a lot.')),
  ],

  unicode: () => [
    reply(
      text(
        'Emoji 👩‍👩‍👧‍👦🏳️‍🌈 CJK 你好世界 Arabic مرحبا combining e\u0301 LS[\u2028] PS[\u2029] NEL[\u0085] ' +
          'ANSI \u001b[31mred\u001b[0m tab\t quote " backslash \\ control \u0001 end',
        { chunk: 3 },
      ),
    ),
  ],

  // Deltas that cut a pair in two: CLIs then print an unpaired escape, which strict JSON readers refuse.
  'lone-surrogate': () => [reply(text('a👍b', { chunk: 1, splitPairs: true }))],

  'max-tokens': () => [{ blocks: [text('This reply is cut off because')], stop: 'max_tokens' }],
  refusal: () => [{ blocks: [text('I do not help with that.')], stop: 'refusal' }],
  drop: () => [{ blocks: [text('Some words before the connection drops. ')], cut: 'drop' }],
  'error-mid': () => [{ blocks: [text('Some words before the error. ')], cut: 'error' }],

  'error-400': failing(400, 'invalid_request_error', 'bad request'),
  'error-401': failing(401, 'authentication_error', 'invalid key'),
  'error-429': failing(429, 'rate_limit_error', 'rate limited', { headers: { 'retry-after': '1' } }),
  'error-429-wait': failing(429, 'rate_limit_error', 'rate limited, please try again in 1.5s'),
  'error-500': failing(500, 'api_error', 'internal error'),
  'error-529': failing(529, 'overloaded_error', 'overloaded'),
  'error-once': (options) =>
    failing(500, 'api_error', 'failed for a moment', { times: Number(options.n ?? 1) })(options, NOBODY),
};

/** @type {Conversation} */
const NOBODY = { entries: [], tools: [], system: '', images: 0 };

/**
 * Delegates, waits where the CLI has a tool for waiting, and reports back. Some CLIs offer the delegating tool only
 * after a search for it, which the choice of tools takes care of.
 * @param {string} inner the sub-agent's scenario
 * @param {string} file
 * @param {Conversation} conversation
 * @returns {Reply}
 */
function delegation(inner, file, conversation) {
  const results = resultsSince(conversation, 'subagent');
  const prompt = `SCENARIO:${inner}${file ? ` file=${file}` : ''}`;
  const delegate = tool({ do: 'delegate', description: 'Say hello', prompt });
  if (results.length === 0) return reply(text('I delegate this.'), delegate);
  const found = results.some((result) => result.text.includes('spawn_agent'));
  const started = results.some(
    (result) => /agent_id|task_name/.test(result.text) && !result.text.includes('"parameters"'),
  );
  if (found && !started && results.length < 3) return reply(delegate);
  const canWait = conversation.tools.some((offered) => offered.name === 'wait_agent');
  const answered = results.some((result) => /all is well|completed|timed_out/i.test(result.text));
  if (started && canWait && !answered && results.length < 6) return reply(tool({ do: 'await-delegate' }));
  return reply(text('The sub-agent reported back.'));
}

/**
 * What the tools gave since a scenario began.
 * @param {Conversation} conversation
 * @param {string} scenario
 */
function resultsSince({ entries }, scenario) {
  const start = entries.findLastIndex((entry) => entry.role === 'user' && entry.text.includes(`SCENARIO:${scenario}`));
  return entries.slice(start + 1).filter((entry) => entry.role === 'tool');
}

/**
 * Text that is the same each time and does not repeat itself at once, because some CLIs look for loops.
 * @param {number} length in characters
 */
function filler(length) {
  const nouns = [
    'river',
    'stone',
    'window',
    'garden',
    'letter',
    'winter',
    'engine',
    'market',
    'silver',
    'harbour',
    'copper',
    'meadow',
  ];
  let words = '';
  let state = 20261121;
  for (let n = 1; words.length < length; n++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    words += `${nouns[state % nouns.length]}${n % 9 === 0 ? ` ${state % 997}.` : ''}${n % 45 === 0 ? '\n\n' : ' '}`;
  }
  return words.slice(0, length);
}

// A runner without an agent, for the soak: it talks as agents do. A prompt is `talk RATE SECONDS`: so many lines a second for so
// long, of messages that come word by word and end, and of tool calls between them.

import { createInterface } from 'node:readline';

const WORDS = 'the keeper takes every line and the journal has it before anybody is shown it'.split(' ');
/** Words of a message. */
const LONG = 80;
/** Lines that a command prints. */
const OUTPUT = Array.from({ length: 12 }, (_, n) => `${n}: ${WORDS.join(' ')}`).join('\n');
let session = '';
let lines = 0;
let turns = 0;

/** @param {Record<string, unknown>} line */
const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
/** @param {Record<string, unknown>} event */
const event = (event) => say({ type: 'agent_event', sessionId: session, event });

/** One line: a word of a message, its end, a tool call, or what came of it. */
function next() {
  const [round, place] = [Math.floor(lines / (LONG + 3)), lines % (LONG + 3)];
  lines += 1;
  const block = round + 1;
  if (place < LONG)
    event({
      type: 'text_delta',
      block,
      text: `${WORDS[(place + round) % WORDS.length]}${place % 20 === 19 ? '.\n\n' : ' '}`,
    });
  else if (place === LONG)
    event({
      type: 'text',
      block,
      text: `**${block}.** ${Array.from({ length: LONG }, (_, n) => WORDS[(n + round) % WORDS.length]).join(' ')}`,
    });
  else if (place === LONG + 1)
    event({ type: 'tool_call', id: `call-${block}`, name: 'read', kind: 'read', title: `Read file ${block}` });
  else event({ type: 'tool_result', id: `call-${block}`, ok: true, output: OUTPUT });
}

/** @param {string} prompt */
async function turn(prompt) {
  turns += 1;
  const id = `t${turns}`;
  say({ type: 'turn_started', sessionId: session, turnId: id });
  const [, rate, seconds] = prompt.split(' ').map(Number);
  const due = (rate ?? 0) * (seconds ?? 0);
  for (let said = 0; said < due; said++) {
    next();
    await new Promise((later) => setTimeout(later, 1000 / (rate ?? 1)));
  }
  say({
    type: 'turn_ended',
    sessionId: session,
    turnId: id,
    stopReason: 'endTurn',
    usage: { inputTokens: 10, outputTokens: due },
  });
}

say({ type: 'ready', protocol: 1, provider: 'soak', runnerVersion: '1', capabilities: {} });
for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line);
  if (order.type === 'query') {
    session = order.sessionId;
    say({ type: 'agent_started', sessionId: session, nativeSessionId: session });
    void turn(order.prompt);
  }
  if (order.type === 'stop') break;
}
process.exit(0);

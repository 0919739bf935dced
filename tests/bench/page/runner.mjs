// A runner without an agent, for the bench: it writes what its prompt asks for, and says when it wrote it.
//
//   items N          N finished items, every tenth a tool call, as fast as they are taken; the last one says `the end of N`
//   stream RATE S [WRITER]
//                    once there is a file `go` in its folder: RATE deltas a second for S seconds, each with the time at which it
//                    was written; what is due is written every 20 ms, as it comes from a network. With WRITER by that program, as
//                    an agent's CLI would: fifty of these runners share a machine with what is measured
//   flood S          the same with deltas without a pause

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';

/** About as much as a message of a real agent has. */
const WORDS = 'The quick keeper takes every line, and the journal has it before anybody is shown it. '.repeat(10);
let session = '';
let folder = '.';
let turns = 0;

/** @param {Record<string, unknown>} line */
const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
/** @param {Record<string, unknown>} event */
const line = (event) => `${JSON.stringify({ type: 'agent_event', sessionId: session, event })}\n`;
/** @param {Record<string, unknown>} event */
const event = (event) => process.stdout.write(line(event));
/** The clock that the page has too; its monotonic one may begin elsewhere. */
const now = () => Date.now();

/** @param {number} count */
async function items(count) {
  for (let n = 1; n <= count; n++) {
    const isTool = n % 10 === 0 && n < count;
    if (isTool)
      event({ type: 'tool_call', id: `call-${turns}-${n}`, name: 'read', kind: 'read', title: `Read file ${n}` });
    const text = n === count ? `the end of ${count}` : `**${n}.** ${WORDS}`;
    const taken = isTool
      ? event({ type: 'tool_result', id: `call-${turns}-${n}`, ok: true, output: WORDS })
      : event({ type: 'text', block: turns * 10_000_000 + n, text });
    if (!taken) await once(process.stdout, 'drain');
  }
}

/**
 * @param {number} rate
 * @param {number} seconds
 * @param {string} writer
 */
async function stream(rate, seconds, writer) {
  while (!existsSync(`${folder}/go`)) await new Promise((next) => setTimeout(next, 100));
  const began = performance.now();
  const block = turns * 10_000_000;
  if (writer !== '') {
    const args = ['--write-lines', rate, seconds, block, session].map(String);
    await once(spawn(writer, args, { stdio: ['ignore', 'inherit', 'inherit'] }), 'exit');
    return;
  }
  let sent = 0;
  while (performance.now() - began < seconds * 1000) {
    const due = Math.floor(((performance.now() - began) / 1000) * rate);
    // Agents write paragraphs; what is repeated below begins one about every forty words.
    const text = `word @${now()}@ ${Math.floor(due / 40) > Math.floor(sent / 40) ? '\n\n' : ''}`;
    if (sent < due) process.stdout.write(line({ type: 'text_delta', block, text }).repeat(due - sent));
    sent = due;
    await new Promise((next) => setTimeout(next, 20));
  }
}

/** @param {number} seconds */
async function flood(seconds) {
  while (!existsSync(`${folder}/go`)) await new Promise((next) => setTimeout(next, 100));
  const until = performance.now() + seconds * 1000;
  const block = turns * 10_000_000;
  while (performance.now() < until) {
    if (!event({ type: 'text_delta', block, text: WORDS })) await once(process.stdout, 'drain');
    else await new Promise((next) => setImmediate(next));
  }
}

/** @param {string} prompt */
async function turn(prompt) {
  turns += 1;
  say({ type: 'turn_started', sessionId: session, turnId: `t${turns}` });
  const [what = '', first, second, ...writer] = prompt.split(' ');
  if (what === 'items') await items(Number(first));
  if (what === 'stream') await stream(Number(first), Number(second), writer.join(' '));
  if (what === 'flood') await flood(Number(first));
  say({ type: 'turn_ended', sessionId: session, turnId: `t${turns}`, stopReason: 'endTurn' });
}

say({ type: 'ready', protocol: 1, provider: 'bench', runnerVersion: '1', capabilities: {} });
for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line);
  if (order.type === 'query') {
    session = order.sessionId;
    folder = order.cwd;
    say({ type: 'agent_started', sessionId: session, nativeSessionId: session });
    void turn(order.prompt);
  }
  if (order.type === 'stop') break;
}
process.exit(0);

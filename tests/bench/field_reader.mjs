// A runner's host as it is often written in JavaScript: the reference of budget 2a.
// Decodes chunks to a string, splits at newlines, parses, and appends a debug line to a file for each line, synchronously.

import { appendFileSync } from 'node:fs';

const log = process.argv[2];
const decoder = new TextDecoder();
let buffer = '';
let seen = 0;
for await (const chunk of process.stdin) {
  buffer += decoder.decode(chunk, { stream: true });
  const lines = buffer.split('\n');
  buffer = lines.pop() ?? '';
  for (const line of lines) {
    appendFileSync(log, `${new Date().toISOString()} ${line.slice(0, 200)}\n`);
    if (JSON.parse(line).type) seen += 1;
  }
}
if (seen === 0) process.exitCode = 1;

// What the stand-in's model does when a whole piece of work is played: prompts in plain words, each with the replies to it, from a file.
// A scenario stands for one ability of a CLI; a play is for recordings that people look at.

import { readFileSync } from 'node:fs';
import { text, thinking, tool } from './blocks.mjs';

/** @typedef {{ prompt: string, replies: import('./blocks.mjs').Reply[] }} Play */
/** @typedef {{ think?: string, say?: string, calls?: import('./blocks.mjs').Want[] }} Written a reply as the file has it */

/**
 * @param {string} file JSON: an array of `{ prompt, replies: [{ think, say, calls }] }`
 * @returns {Play[]}
 */
export function readPlays(file) {
  /** @type {{ prompt: string, replies: Written[] }[]} */
  const plays = JSON.parse(readFileSync(file, 'utf8'));
  return plays.map(({ prompt, replies }) => ({ prompt, replies: replies.map(reply) }));
}

/**
 * @param {Written} written
 * @returns {import('./blocks.mjs').Reply}
 */
const reply = ({ think, say, calls = [] }) => ({
  blocks: [...(think ? [thinking(think)] : []), ...(say ? [text(say)] : []), ...calls.map(tool)],
});

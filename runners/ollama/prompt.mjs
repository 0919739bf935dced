// What is said to a model before and with a prompt: who and where it is, and the files that the user attached.

import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';

/** A bigger image is not sent, in bytes. */
const IMAGE_LIMIT = 20 * 1024 * 1024;
const IMAGE = /\.(png|jpe?g|webp)$/i;

/** What cannot be sent, with what to do. */
export class Unsendable extends Error {}

/**
 * @param {{ cwd: string, additionalDirectories?: string[], systemPrompt?: string }} query
 * @param {boolean} hasTools
 * @returns {string}
 */
export function systemPrompt({ cwd, additionalDirectories = [], systemPrompt: own }, hasTools) {
  const folders = [cwd, ...additionalDirectories];
  const tools =
    'You have tools to read, list, search, write and edit files and to run shell commands. Use them rather than guessing: ' +
    'look at files before you speak about them, change them with the tools, and check your work by running it. ' +
    'Some calls need the user’s permission; when one is denied, do not try it again in another way.';
  const parts = [
    'You are a coding agent that helps the user with the project in the working directory.',
    `Working directory: ${cwd}. You may touch files in: ${folders.join(', ')}. The system is ${process.platform}.`,
    hasTools ? tools : 'You have no tools: you see no files but those in the conversation.',
    'Answer briefly, in the language of the user.',
  ];
  return [parts.join('\n'), own].filter(Boolean).join('\n\n');
}

/**
 * @param {{ prompt?: string, cwd?: string, attachments?: Record<string, any>[] }} query attachments are
 *   `{mimeType, data}` in base64, or `{path}`
 * @param {boolean | undefined} sees whether the model takes images; undefined when the server does not tell
 * @returns {Promise<import('./conversation.mjs').Message>}
 */
export async function userMessage({ prompt = '', cwd = '.', attachments = [] }, sees) {
  /** @type {string[]} */
  const images = [];
  const mentioned = [];
  for (const { mimeType, data, path: file } of attachments) {
    if (typeof data === 'string' && /^image\//.test(mimeType ?? '')) images.push(data);
    else if (file && IMAGE.test(file)) images.push(await imageAt(path.resolve(cwd, file)));
    else if (file) mentioned.push(`The user attached the file ${file}.`);
    else throw new Unsendable(`an attachment of the type ${mimeType} cannot be sent to Ollama; name the file instead`);
  }
  if (images.length > 0 && sees === false) {
    throw new Unsendable(
      'this model takes no images. Take one that does (e.g. `ollama pull gemma3`), or describe the image.',
    );
  }
  const content = [...mentioned, prompt].join('\n');
  return images.length > 0 ? { role: 'user', content, images } : { role: 'user', content };
}

/** @param {string} file */
async function imageAt(file) {
  const size = await stat(file).then(
    (about) => about.size,
    (error) => {
      throw new Unsendable(`the attached image ${file} cannot be read: ${error.code ?? error.message}`);
    },
  );
  if (size > IMAGE_LIMIT) throw new Unsendable(`the attached image ${file} is too big (${size} bytes)`);
  return (await readFile(file)).toString('base64');
}

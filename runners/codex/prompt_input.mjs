// How a prompt with its attachments becomes the input of a turn of codex.

import { imageType } from '../lib/image_file.mjs';

/** @param {string} text */
export function textInput(text) {
  return { type: 'text', text, text_elements: [] };
}

/** @param {Record<string, any>} query with attachments `{mimeType, data}` in base64, or `{path}` */
export function promptInput({ prompt, attachments = [] }) {
  const files = attachments.map((/** @type {Record<string, any>} */ { mimeType, data, path }) => {
    if (data && mimeType) return { type: 'image', url: `data:${mimeType};base64,${data}` };
    return imageType(path ?? '') ? { type: 'localImage', path } : textInput(`@${path}`);
  });
  return [...files, textInput(prompt)];
}

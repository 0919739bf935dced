// How a prompt with its attachments becomes the user line that claude reads.

import { randomUUID } from 'node:crypto';

/**
 * @param {{ prompt?: string, attachments?: Record<string, any>[] }} query attachments are images
 *   `{mimeType, data}` with base64 data, or files `{path}`, which claude reads itself
 * @returns {Record<string, unknown>}
 */
export function userMessage({ prompt = '', attachments = [] }) {
  const images = attachments.filter((attachment) => attachment.data && attachment.mimeType);
  const paths = attachments.filter((attachment) => !attachment.data && attachment.path);
  const text = [prompt, ...paths.map((attachment) => `@${attachment.path}`)].join('\n');
  const content = [...images.map(imageBlock), { type: 'text', text }];
  return { type: 'user', message: { role: 'user', content }, parent_tool_use_id: null, uuid: randomUUID() };
}

/** @param {Record<string, any>} image */
function imageBlock({ mimeType, data }) {
  return { type: 'image', source: { type: 'base64', media_type: mimeType, data } };
}

// How a prompt with its attachments becomes the user line that claude reads.

import { randomUUID } from 'node:crypto';
import { imageType, readImage } from '../lib/image_file.mjs';

/**
 * @param {{ prompt?: string, attachments?: Record<string, any>[] }} query attachments are images `{mimeType, data}` with
 *   base64 data, or files `{path}`: images are read here, any other file is named to claude, which reads it itself
 * @returns {Promise<Record<string, unknown>>}
 */
export async function userMessage({ prompt = '', attachments = [] }) {
  const images = [];
  const paths = [];
  for (const attachment of attachments) {
    const image = attachment.data ? attachment : await readImage(attachment.path);
    if (image) images.push(imageBlock(image));
    else if (attachment.path) paths.push(`@${attachment.path}`);
  }
  const content = [...images, { type: 'text', text: [prompt, ...paths].join('\n') }];
  return { type: 'user', message: { role: 'user', content }, parent_tool_use_id: null, uuid: randomUUID() };
}

/** @param {Record<string, any>} image */
function imageBlock({ mimeType, data, path }) {
  const type = mimeType ?? imageType(path ?? '') ?? 'image/png';
  return { type: 'image', source: { type: 'base64', media_type: type, data } };
}

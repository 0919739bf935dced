// Is a file an image that a model can be shown, and what is in it?

import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';

/** @type {Record<string, string>} what the vendors' models take */
const TYPES = {
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.gif': 'image/gif',
  '.webp': 'image/webp',
};

/** The largest image that is sent, in bytes; the vendors refuse larger ones. */
const LARGEST = 5 * 1024 * 1024;

/**
 * @param {string} file
 * @returns {string | undefined} the MIME type, when the name is that of an image
 */
export function imageType(file) {
  return TYPES[path.extname(file).toLowerCase()];
}

/**
 * @param {string | undefined} file
 * @returns {Promise<{ mimeType: string, data: string } | null>} null when it is no image, or too large to be sent as one
 */
export async function readImage(file) {
  const mimeType = file && imageType(file);
  if (!mimeType) return null;
  if ((await stat(file)).size > LARGEST) return null;
  return { mimeType, data: (await readFile(file)).toString('base64') };
}

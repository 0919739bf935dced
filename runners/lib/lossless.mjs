// What a line of bytes says: as a JSON object if it is one, and as text that loses nothing if it is not.
//
// Decides nothing about the object's meaning.

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Parses a line that should hold one JSON object. JSON.parse takes unpaired surrogate escapes as they are, so a delta
 * that cut an emoji in two is no error here; invalid UTF-8 inside a string is replaced for our own reading only.
 * @param {Uint8Array} bytes
 * @returns {Record<string, any> | null} null when it is no JSON object
 */
export function parseObject(bytes) {
  try {
    const value = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'));
    return value !== null && typeof value === 'object' && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

/**
 * Decodes bytes as UTF-8; bytes that are not valid UTF-8 become `\xNN`, so that nothing is lost without a trace.
 * @param {Uint8Array} bytes
 * @returns {string}
 */
export function losslessText(bytes) {
  try {
    return strict.decode(bytes);
  } catch {
    return escapeInvalid(bytes);
  }
}

/** @param {Uint8Array} bytes */
function escapeInvalid(bytes) {
  let text = '';
  for (let at = 0; at < bytes.length;) {
    const length = validSequence(bytes, at);
    if (length === 0) {
      text += `\\x${bytes[at].toString(16).padStart(2, '0')}`;
      at += 1;
    } else {
      text += strict.decode(bytes.subarray(at, at + length));
      at += length;
    }
  }
  return text;
}

/**
 * @param {Uint8Array} bytes
 * @param {number} at
 * @returns {number} length of the valid UTF-8 sequence that starts here, 0 if none does
 */
function validSequence(bytes, at) {
  const lead = bytes[at];
  const length = lead < 0x80 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 0;
  if (length === 0 || at + length > bytes.length) return 0;
  try {
    strict.decode(bytes.subarray(at, at + length));
    return length;
  } catch {
    return 0;
  }
}

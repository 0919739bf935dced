// How bytes become lines and lines become bytes.
//
// Lines end at the byte \n and nowhere else: agent CLIs print U+2028, U+2029 and U+0085 raw inside JSON strings, so a
// splitter that knows Unicode would cut valid JSON in two. A line over the limit is cut and marked, and reading goes on
// after its newline; nothing grows without bound. What a line means is not known here.

/** The longest line that is kept whole, in bytes, without its newline. */
export const LINE_LIMIT = 10 * 1024 * 1024;

/** How much the writer gathers before it hands it to the stream within one tick, in bytes. */
const GATHER_LIMIT = 1024 * 1024;

const NEWLINE = 0x0a;

/**
 * @typedef {object} Line
 * @property {Buffer} bytes the line without its newline; its beginning only when `cut`
 * @property {boolean} cut whether the line was longer than the limit
 * @property {number} size how long the line really was, in bytes
 */

/** Cuts a stream of chunks into lines, keeping at most one line's limit in memory. */
export class LineSplitter {
  /** @type {Buffer[]} */ #parts = [];
  #kept = 0;
  #size = 0;
  #limit;

  /** @param {number} [limit] bytes of a line that are kept */
  constructor(limit = LINE_LIMIT) {
    this.#limit = limit;
  }

  /**
   * Takes the next chunk and gives the lines that it completed.
   * @param {Uint8Array} chunk
   * @returns {Line[]}
   */
  push(chunk) {
    const buffer = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    /** @type {Line[]} */
    const lines = [];
    let start = 0;
    for (let end = buffer.indexOf(NEWLINE); end >= 0; end = buffer.indexOf(NEWLINE, start)) {
      this.#keep(buffer.subarray(start, end));
      lines.push(this.#take());
      start = end + 1;
    }
    if (start < buffer.length) this.#keep(buffer.subarray(start));
    return lines;
  }

  /**
   * Gives the last line when the stream ended without a newline.
   * @returns {Line[]}
   */
  end() {
    return this.#size > 0 ? [this.#take()] : [];
  }

  /** @param {Buffer} part */
  #keep(part) {
    this.#size += part.length;
    const room = this.#limit - this.#kept;
    if (room <= 0 || part.length === 0) return;
    const kept = part.length > room ? part.subarray(0, room) : part;
    this.#parts.push(kept);
    this.#kept += kept.length;
  }

  /** @returns {Line} */
  #take() {
    const bytes = this.#parts.length === 1 ? this.#parts[0] : Buffer.concat(this.#parts, this.#kept);
    const line = { bytes, cut: this.#size > this.#limit, size: this.#size };
    this.#parts = [];
    this.#kept = 0;
    this.#size = 0;
    return line;
  }
}

/**
 * Reads a stream as batches of lines: all lines that one chunk completed come together. The stream is not read further
 * until the caller asks for the next batch, which is what slows a fast child down when the host is slow.
 * @param {import('node:stream').Readable} stream
 * @param {number} [limit]
 * @returns {AsyncGenerator<Line[], void, void>}
 */
export async function* readLineBatches(stream, limit = LINE_LIMIT) {
  const splitter = new LineSplitter(limit);
  try {
    for await (const chunk of stream) {
      const lines = splitter.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
      if (lines.length > 0) yield lines;
    }
  } catch (error) {
    // A killed child's pipe may end with an error instead of an end; what was read before still counts.
    if (!isBrokenPipe(error)) throw error;
  }
  const rest = splitter.end();
  if (rest.length > 0) yield rest;
}

/**
 * @param {unknown} error
 * @returns {boolean} whether it only says that the other side went away
 */
export function isBrokenPipe(error) {
  const code = /** @type {{ code?: string }} */ (error)?.code ?? '';
  return ['EPIPE', 'ECONNRESET', 'ERR_STREAM_PREMATURE_CLOSE', 'ERR_STREAM_DESTROYED', 'EIO'].includes(code);
}

/** Writes lines to a stream in order; lines of one tick leave in one write, and `ready` waits while the stream is full. */
export class LineWriter {
  #stream;
  /** @type {Uint8Array[]} */ #gathered = [];
  #gatheredBytes = 0;
  #scheduled = false;
  #broken = false;
  /** @type {Promise<void> | null} */ #full = null;
  /** @type {(() => void) | null} */ #release = null;

  /** @param {import('node:stream').Writable} stream */
  constructor(stream) {
    this.#stream = stream;
    stream.on('drain', () => this.#letGo());
    stream.on('error', () => this.#break());
    stream.on('close', () => this.#break());
  }

  /** Whether the other side is gone; writing is then a no-op. */
  get broken() {
    return this.#broken;
  }

  /**
   * Writes one line made of the given parts, and its newline.
   * @param {...(string | Uint8Array)} parts
   */
  write(...parts) {
    if (this.#broken) return;
    for (const part of parts) this.#gather(typeof part === 'string' ? Buffer.from(part) : part);
    this.#gather(NEWLINE_BYTES);
    if (this.#gatheredBytes >= GATHER_LIMIT) this.#hand();
    else if (!this.#scheduled) {
      this.#scheduled = true;
      queueMicrotask(() => this.#hand());
    }
  }

  /** Resolves as soon as the stream takes more. */
  async ready() {
    this.#hand();
    while (this.#full) await this.#full;
  }

  /** Resolves when everything written so far has been handed to the operating system. */
  async flush() {
    await this.ready();
    if (this.#broken) return;
    await new Promise((resolve) => {
      this.#stream.once('error', resolve);
      this.#stream.write('', () => resolve(undefined));
    });
  }

  /** @param {Uint8Array} part */
  #gather(part) {
    this.#gathered.push(part);
    this.#gatheredBytes += part.length;
  }

  #hand() {
    this.#scheduled = false;
    if (this.#gatheredBytes === 0 || this.#broken) return;
    const bytes = this.#gathered.length === 1 ? this.#gathered[0] : Buffer.concat(this.#gathered, this.#gatheredBytes);
    this.#gathered = [];
    this.#gatheredBytes = 0;
    if (!this.#stream.write(bytes) && !this.#full) {
      this.#full = new Promise((resolve) => (this.#release = resolve));
    }
  }

  #letGo() {
    this.#release?.();
    this.#release = null;
    this.#full = null;
  }

  #break() {
    this.#broken = true;
    this.#gathered = [];
    this.#gatheredBytes = 0;
    this.#letGo();
  }
}

const NEWLINE_BYTES = Buffer.from('\n');

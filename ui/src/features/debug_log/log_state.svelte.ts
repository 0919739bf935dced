// Which lines of the debug log are shown? The newest that the filter lets through, older ones on demand, and what comes meanwhile.

import { asWireError, type Host } from '../../host/host';
import type { LogFilter } from '../../protocol/LogFilter';
import type { LogLevel } from '../../protocol/LogLevel';
import type { LogLine } from '../../protocol/LogLine';
import type { LogPlace } from '../../protocol/LogPlace';
import type { LogSource } from '../../protocol/LogSource';

/** Lines of one question. */
const PAGE = 500;
/** Lines that are held; while they are followed the oldest go. */
const HELD = 10_000;

/** The debug log as it is looked at. */
export class LogState {
  text = $state('');
  level = $state<LogLevel>('debug');
  sources = $state.raw<LogSource[]>([]);
  session = $state('');
  isFollowing = $state(true);
  lines = $state.raw<LogLine[]>([]);
  /** Where older lines are; null where there are none. */
  older = $state.raw<LogPlace | null>(null);
  keptBytes = $state(0);
  problem = $state('');
  hasRead = $state(false);
  readonly filter = $derived.by((): LogFilter => ({
    level: this.level,
    text: this.text,
    ...(this.sources.length > 0 ? { sources: this.sources } : {}),
    ...(this.session !== '' ? { session: this.session } : {}),
  }));
  readonly isNarrowed = $derived(
    this.text.trim() !== '' || this.level !== 'debug' || this.sources.length > 0 || this.session !== '',
  );
  #host: Host;
  #newer: LogPlace | null = null;
  #turn = 0;

  constructor(host: Host) {
    this.#host = host;
  }

  /** Reads the newest lines for the filter as it is now. */
  async begin(): Promise<void> {
    const turn = ++this.#turn;
    await this.#tried(async () => {
      const page = await this.#host.readLog({ filter: this.filter, direction: 'backwards', limit: PAGE });
      if (turn !== this.#turn) return;
      [this.lines, this.older, this.#newer] = [page.lines, page.older, page.newer];
      this.keptBytes = page.keptBytes;
      this.hasRead = true;
    });
  }

  /** Reads what was written since. */
  async follow(): Promise<void> {
    const [turn, from] = [this.#turn, this.#newer];
    if (from === null) return this.begin();
    await this.#tried(async () => {
      const page = await this.#host.readLog({ filter: this.filter, from, direction: 'forwards', limit: PAGE });
      if (turn !== this.#turn) return;
      this.#newer = page.newer;
      this.keptBytes = page.keptBytes;
      if (page.lines.length === 0) return;
      const all = [...this.lines, ...page.lines];
      this.lines = all.slice(-HELD);
      // What was let go is no more than what older lines begin with; they are read again from the beginning.
      if (all.length > HELD) this.older = null;
    });
  }

  /** Reads older lines; how many there were. */
  async back(): Promise<number> {
    const [turn, from] = [this.#turn, this.older];
    if (from === null) return 0;
    let many = 0;
    await this.#tried(async () => {
      const page = await this.#host.readLog({ filter: this.filter, from, direction: 'backwards', limit: PAGE });
      if (turn !== this.#turn) return;
      this.lines = [...page.lines, ...this.lines];
      this.older = page.older;
      many = page.lines.length;
    });
    return many;
  }

  forgetFilter(): void {
    [this.text, this.level, this.sources, this.session] = ['', 'debug', [], ''];
  }

  async #tried(work: () => Promise<void>): Promise<void> {
    try {
      await work();
      this.problem = '';
    } catch (thrown) {
      this.problem = asWireError(thrown).message;
    }
  }
}

// What is the state of the session on the screen? Its transcript, its status, what is unfolded; fed by the host.
//
// A view is opened for one session and closed for good; it holds nothing that opening it again would not bring back.

import { SvelteSet } from 'svelte/reactivity';
import { asWireError, type Feed, type Host } from '../host/host';
import type { Mark } from '../protocol/Mark';
import type { Attachment } from '../protocol/Attachment';
import type { FeedFrame } from '../protocol/FeedFrame';
import type { IfBusy } from '../protocol/IfBusy';
import type { Item } from '../protocol/Item';
import type { PermissionAsk } from '../protocol/PermissionAsk';
import type { PermissionMode } from '../protocol/PermissionMode';
import type { PermissionOutcome } from '../protocol/PermissionOutcome';
import type { PodStatus } from '../protocol/PodStatus';
import type { RuleReach } from '../protocol/RuleReach';
import type { SessionId } from '../protocol/SessionId';
import type { SessionSummary } from '../protocol/SessionSummary';
import type { WireError } from '../protocol/WireError';
import { Transcript } from './transcript';

/** Items of one request. Whoever jumps about reads little that is not shown. */
const PAGE = 50;
/** Items that a view holds at most; farther ones are let go and read again. */
const HELD = 2000;
/** A hidden window draws no frames; credits are returned after this many milliseconds all the same. */
const UNDRAWN_MS = 120;

/** Where a view is in its life. */
export type Phase = { type: 'opening' } | { type: 'open' } | { type: 'failed'; error: WireError } | { type: 'closed' };

/** One session on the screen. */
export class SessionView {
  readonly session: SessionId;
  readonly transcript = new Transcript();
  /** Grows whenever the transcript changed; whoever reads the transcript reads this first. */
  version = $state(0);
  phase = $state<Phase>({ type: 'opening' });
  summary = $state.raw<SessionSummary | null>(null);
  status = $state.raw<PodStatus | null>(null);
  /** What of the journal could not be read, with its place. */
  damage = $state.raw<string[]>([]);
  /** Ids of items, and of tool calls with work under them, that the user unfolded. */
  readonly unfolded = new SvelteSet<string>();

  /** An item that is to be shown, until it is. */
  sought = $state.raw<{ item: string; words: string } | null>(null);

  #host: Host;
  #feed: Feed | null = null;
  #following = false;
  #wanted = false;
  #asked = new Set<number>();
  #credit: number | null = null;
  #drawn: number | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #onAdded: (items: Item[], asked: PermissionAsk[]) => void;

  /** `onAdded` is told of new items, and of the requests that now wait: one that a rule answers at once does not. */
  constructor(host: Host, session: SessionId, onAdded: (items: Item[], asked: PermissionAsk[]) => void) {
    this.#host = host;
    this.session = session;
    this.#onAdded = onAdded;
  }

  /** Rows of the list. */
  readonly length = $derived.by(() => (void this.version, this.transcript.length));

  /** Rows from here on are only streamed, and grow. */
  readonly growsFrom = $derived.by(() => (void this.version, this.transcript.total));

  /** By what the list knows a row. As the rows were at the last drawing: what came since has not moved any yet. */
  readonly keyOf = $derived.by(() => (void this.version, this.transcript.keys()));

  /** The item of a row, or undefined when it has not been read. */
  at(index: number): Item | undefined {
    void this.version;
    return this.transcript.at(index);
  }

  /** Whether a row stands under a tool call that is folded. */
  isFoldedAway(item: Item): boolean {
    void this.version;
    return this.transcript.ancestors(item).some((call) => !this.unfolded.has(call));
  }

  /** Folds or unfolds an item. */
  toggle(id: string): void {
    if (!this.unfolded.delete(id)) this.unfolded.add(id);
  }

  /** Reads the newest page and follows the feed. */
  async open(): Promise<void> {
    try {
      const opened = await this.#host.openSession(this.session);
      if (this.phase.type === 'closed') return;
      this.summary = opened.summary;
      this.status = opened.status;
      this.damage = opened.damage;
      this.transcript.load(opened.page);
      this.#changed();
      this.phase = { type: 'open' };
      if (isReachable(opened.summary)) await this.#follow();
    } catch (thrown) {
      if (this.phase.type !== 'closed') this.phase = { type: 'failed', error: asWireError(thrown) };
    }
  }

  /** Ends the view; its memory can go. */
  close(): void {
    this.phase = { type: 'closed' };
    this.#feed?.close();
    this.#feed = null;
    if (this.#drawn !== null) cancelAnimationFrame(this.#drawn);
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  /** Reads what is missing between two rows and lets go of what is far from them. */
  async need(from: number, to: number): Promise<void> {
    const gaps = this.transcript.gaps(from, to, PAGE).filter((gap) => !this.#asked.has(gap.from));
    this.transcript.evict(from, to, HELD);
    await Promise.all(gaps.map((gap) => this.#read(gap.from, gap.limit)));
  }

  /**
   * Takes a newer summary from the list. A session that came to life again is followed again; one that somebody else closed,
   * because its keeper had been killed, has more in its journal than its feed could tell.
   */
  summarise(summary: SessionSummary): void {
    const before = this.summary;
    this.summary = summary;
    if (this.phase.type !== 'open' || this.#feed) return;
    const isLive = summary.liveness.type === 'live';
    const cameToLife = isLive && before?.liveness.type !== 'live';
    const wasClosed = !isLive && before !== null && before.updatedAt !== summary.updatedAt;
    if (cameToLife || wasClosed) void this.#follow();
  }

  /** Sends a prompt; on a session that is over this resumes it. */
  async prompt(text: string, ifBusy: IfBusy, attachments: Attachment[] = []): Promise<void> {
    await this.#host.prompt(this.session, { text, ifBusy, attachments });
    if (!this.#feed && this.phase.type === 'open') await this.#follow();
  }

  /** Gives a queued prompt other words; it keeps its place. */
  editQueued(promptId: string, text: string): Promise<void> {
    return this.#host.editQueued(this.session, promptId, text);
  }

  /** Sends the first of the prompts that wait after an interrupt. */
  goOn(): Promise<void> {
    return this.#host.goOn(this.session);
  }

  unqueue(promptId: string): Promise<void> {
    return this.#host.unqueue(this.session, promptId);
  }

  /** Answers a request; with `always` what it is about is allowed from now on. */
  answer(requestId: string, outcome: PermissionOutcome, message: string, always?: RuleReach): Promise<void> {
    return this.#host.answer(this.session, { requestId, outcome, message: message === '' ? null : message, always });
  }

  interrupt(): Promise<void> {
    return this.#host.interrupt(this.session);
  }

  async stop(force: boolean): Promise<void> {
    await this.#host.stop(this.session, force);
  }

  set(model: string | null, mode: PermissionMode | null): Promise<void> {
    return this.#host.setSession(this.session, model, mode);
  }

  /** Places within a range that hold these words. */
  find(words: string, from: number, limit: number): Promise<number[]> {
    return this.#host.findItems(this.session, words, from, limit);
  }

  /** What a map shows of a range. */
  readMarks(from: number, limit: number): Promise<Mark[]> {
    return this.#host.readMarks(this.session, from, limit);
  }

  /** Asks to be shown at an item. */
  seek(item: string, words: string): void {
    this.sought = { item, words };
  }

  /** Where the item stands that is sought, which then is sought no more. */
  async placeSought(): Promise<{ place: number; words: string } | null> {
    const { sought } = this;
    this.sought = null;
    if (sought === null) return null;
    return { place: await this.#host.placeOfItem(this.session, sought.item), words: sought.words };
  }

  /** Reads a row, unfolds it and what it stands under, so that all of it can be seen. */
  async reveal(place: number): Promise<void> {
    await this.need(place, place + 1);
    const item = this.transcript.at(place);
    if (!item) return;
    for (const call of this.transcript.ancestors(item)) this.unfolded.add(call);
    this.unfolded.add(item.id);
  }

  /** Reads every item once, for a copy of the whole transcript. Nothing is kept in the view. */
  async *wholeTranscript(): AsyncGenerator<Item> {
    for (let from = 0; from < this.transcript.length;) {
      const page = await this.#host.readItems(this.session, from, 500);
      yield* page.items;
      if (page.items.length === 0) return;
      from = page.before + page.items.length;
    }
  }

  async #follow(): Promise<void> {
    this.#wanted = true;
    if (this.#following) return;
    this.#following = true;
    try {
      // What is asked for while a feed is being opened that ends at once is not forgotten.
      while (this.#wanted && !this.#feed) {
        this.#wanted = false;
        await this.#followOnce();
      }
    } finally {
      this.#following = false;
      this.#wanted = false;
    }
  }

  async #followOnce(): Promise<void> {
    let ended = false;
    this.transcript.dropLive();
    const feed = await this.#host.followSession(this.session, this.transcript.lastSeq, (frame) => {
      ended ||= frame.type === 'closed';
      if (this.phase.type !== 'closed') this.#take(frame);
    });
    if (this.phase.type === 'closed') feed.close();
    else this.#feed = ended ? null : feed;
    // Frames may have come before the feed's handle did.
    if (this.#credit !== null) this.#draw();
  }

  #take(frame: FeedFrame): void {
    if (frame.type === 'closed') {
      this.#feed?.close();
      this.#feed = null;
      this.transcript.dropLive();
      void this.#settle();
      return;
    }
    const known = new Set(this.status?.permissions.map(({ ask }) => ask.requestId));
    for (const event of frame.events) if (event.type === 'status') this.status = event.status;
    const waiting = (this.status?.permissions ?? []).map(({ ask }) => ask);
    const asked = waiting.filter(({ requestId }) => !known.has(requestId));
    const change = this.transcript.apply(frame.events);
    for (const { live, item } of change.replaced) if (this.unfolded.delete(live)) this.unfolded.add(item.id);
    if (change.added.length + asked.length > 0) this.#onAdded(change.added, asked);
    this.#credit = frame.frame;
    this.#draw();
  }

  /** After the end of a feed: what the journal holds now, in case that the feed ended before it had told everything. */
  async #settle(): Promise<void> {
    try {
      const opened = await this.#host.openSession(this.session);
      this.summary = opened.summary;
      this.status = opened.status;
      this.damage = opened.damage;
      this.transcript.load(opened.page);
    } catch {
      // What is there stays; opening the session again tells what is wrong.
    }
    this.#changed();
  }

  /** Redraws once per frame, then returns the credit. */
  #draw(): void {
    if (this.#drawn !== null) return;
    const drawn = () => {
      if (this.#drawn !== null) cancelAnimationFrame(this.#drawn);
      if (this.#timer !== null) clearTimeout(this.#timer);
      this.#drawn = this.#timer = null;
      this.#changed();
      if (this.#credit === null || !this.#feed) return;
      this.#feed.credit(this.#credit);
      this.#credit = null;
    };
    this.#drawn = requestAnimationFrame(drawn);
    this.#timer = setTimeout(drawn, UNDRAWN_MS);
  }

  async #read(from: number, limit: number): Promise<void> {
    this.#asked.add(from);
    try {
      const page = await this.#host.readItems(this.session, from, limit);
      this.transcript.load(page);
      this.#changed();
    } catch {
      // The rows stay gaps and are asked for again when they are looked at again.
    } finally {
      this.#asked.delete(from);
    }
  }

  #changed(): void {
    this.version += 1;
  }
}

/** Whether there is, or may be, a pod to follow. */
function isReachable(summary: SessionSummary): boolean {
  return summary.liveness.type === 'live' || summary.liveness.type === 'unknown';
}

// How does one replayed session behave? Like a pod: a journal of items with sequence numbers, blocks that are only streamed,
// a queue, requests that wait, feeds with credits. Its whole state is plain data, so that a reload can put it back.

import type { AttachedFile } from '../../protocol/AttachedFile';
import type { Attachment } from '../../protocol/Attachment';
import type { FeedFrame } from '../../protocol/FeedFrame';
import type { Item } from '../../protocol/Item';
import type { ItemBody } from '../../protocol/ItemBody';
import type { ItemPage } from '../../protocol/ItemPage';
import type { Outcome } from '../../protocol/Outcome';
import type { PermissionMode } from '../../protocol/PermissionMode';
import type { PermissionOutcome } from '../../protocol/PermissionOutcome';
import type { PermissionPolicy } from '../../protocol/PermissionPolicy';
import type { PermissionRule } from '../../protocol/PermissionRule';
import type { PodStatus } from '../../protocol/PodStatus';
import type { RuleReach } from '../../protocol/RuleReach';
import type { SessionEvent } from '../../protocol/SessionEvent';
import type { SessionSummary } from '../../protocol/SessionSummary';
import type { Usage } from '../../protocol/Usage';
import { demoTurn } from './demo_turn';
import { offersOf } from './people';
import { stands, type Step } from './script';

/** Frames that may be on their way without a credit. */
const AHEAD = 4;

/** Everything of a session that a reload has to bring back. */
export interface Kept {
  summary: SessionSummary;
  status: PodStatus | null;
  items: Item[];
  live: Item[];
  seq: number;
  steps: Step[];
  turns: number;
  /** What of its journal cannot be read. */
  damage?: string[];
}

interface Feed {
  on: (frame: FeedFrame) => void;
  waiting: SessionEvent[];
  sent: number;
  credited: number;
}

/** One session. */
export class ReplaySession {
  state: Kept;
  /** Items before those of the state, made when they are asked for: a transcript of any length costs nothing. */
  #older: { count: number; at: (ordinal: number) => ItemBody };
  #feeds = new Map<number, Feed>();
  #timer: ReturnType<typeof setTimeout> | null = null;
  #changed: () => void;
  #speed: number;

  constructor(
    state: Kept,
    speed: number,
    changed: () => void,
    older?: { count: number; at: (ordinal: number) => ItemBody },
  ) {
    this.state = state;
    this.#older = older ?? { count: 0, at: () => ({ type: 'unknown', label: '', raw: null }) };
    this.#speed = speed;
    this.#changed = changed;
    this.#schedule();
  }

  page(from: number | null, limit: number): ItemPage {
    const total = this.#older.count + this.state.items.length;
    const before = Math.max(0, from ?? total - limit);
    const items: Item[] = [];
    for (let place = before; place < Math.min(before + limit, total); place++) {
      const own = this.state.items[place - this.#older.count];
      items.push(own ?? stands(place, this.#older.at(place), this.state.summary.createdAt));
    }
    return { items, before, total, lastSeq: this.state.seq };
  }

  /** The place of an item in the transcript; the end for one that is not known. */
  placeOf(item: string): number {
    const at = this.state.items.findIndex((own) => own.id === item);
    return this.#older.count + (at < 0 ? this.state.items.length - 1 : at);
  }

  follow(id: number, fromSeq: number, on: (frame: FeedFrame) => void): void {
    const feed: Feed = { on, waiting: [], sent: 0, credited: 0 };
    this.#feeds.set(id, feed);
    if (!this.state.status) {
      queueMicrotask(() => on({ type: 'closed', reason: 'the session is not live' }));
      return;
    }
    feed.waiting.push(
      ...this.state.items
        .filter((item) => item.lastSeq > fromSeq)
        .map((item): SessionEvent => ({ type: 'item', item })),
      ...this.state.live.map((item): SessionEvent => ({ type: 'item', item })),
      { type: 'status', status: this.state.status },
      { type: 'caughtUp', seq: this.state.seq },
    );
    queueMicrotask(() => this.#flush(feed));
  }

  credit(id: number, frame: number): void {
    const feed = this.#feeds.get(id);
    if (!feed) return;
    feed.credited = Math.max(feed.credited, frame);
    this.#flush(feed);
  }

  unfollow(id: number): void {
    this.#feeds.delete(id);
  }

  prompt(
    text: string,
    ifBusy: 'reject' | 'queue' | 'steer',
    attachments: Attachment[] = [],
  ): 'started' | 'queued' | 'steered' {
    // Who speaks while a retry waits calls it off.
    if (this.state.status?.retry?.by === 'outrigger') this.#setStatus({ retry: null, state: { type: 'idle' } });
    const busy = this.state.status?.state.type === 'working';
    const files = attachments.map(attached);
    if (busy && ifBusy === 'steer') {
      this.#stand({ type: 'userMessage', text, delivery: 'steer', from: null });
      return 'steered';
    }
    if (busy && this.state.status) {
      const promptId = `q${this.state.seq}.${text.length}`;
      this.#setStatus({ queue: [...this.state.status.queue, { promptId, text, attachments: files }] });
      return 'queued';
    }
    this.#begin(text, 'prompt', files);
    return 'started';
  }

  editQueued(promptId: string, text: string): void {
    const queue = this.state.status?.queue ?? [];
    this.#setStatus({ queue: queue.map((prompt) => (prompt.promptId === promptId ? { ...prompt, text } : prompt)) });
  }

  goOn(): void {
    const [first, ...queue] = this.state.status?.queue ?? [];
    if (!first) return;
    this.#setStatus({ queue });
    this.#begin(first.text, 'queued', first.attachments);
  }

  forgetRule(rule: string): void {
    this.#setStatus({ rules: (this.state.status?.rules ?? []).filter(({ id }) => id !== rule) });
  }

  set(model: string | null, mode: PermissionMode | null): void {
    const { status } = this.state;
    this.#setStatus({
      model: model ?? status?.model ?? null,
      permissionMode: mode ?? status?.permissionMode ?? 'ask',
    });
  }

  setPolicy(permissionPolicy: PermissionPolicy): void {
    this.#setStatus({ permissionPolicy });
  }

  unqueue(promptId: string): void {
    this.#setStatus({ queue: (this.state.status?.queue ?? []).filter((prompt) => prompt.promptId !== promptId) });
  }

  answer(requestId: string, outcome: PermissionOutcome, message: string | null, always?: RuleReach | null): boolean {
    const item = this.state.items.find(
      (candidate) => candidate.body.type === 'permission' && candidate.body.requestId === requestId,
    );
    const step = this.state.steps[0];
    if (item?.body.type !== 'permission' || item.body.state.type !== 'pending') return false;
    const rule = always ? ruleOf(always) : undefined;
    this.#change(item.id, { ...item.body, state: { type: 'answered', outcome, message, by: 'user', rule } });
    if (rule?.reach === 'session') this.#setStatus({ rules: [...(this.state.status?.rules ?? []), rule] });
    if (step?.type === 'ask') this.state.steps = outcome.startsWith('deny') ? step.denied : this.state.steps.slice(1);
    this.#setStatus({ permissions: [] });
    this.#work({ type: 'model' });
    this.#schedule();
    return true;
  }

  interrupt(): void {
    if (this.state.status?.retry) this.#setStatus({ retry: null });
    if (this.state.status?.state.type !== 'working') return;
    for (const live of [...this.state.live]) this.#close(live.id, finished(live.body));
    for (const item of [...this.state.items]) this.#withdraw(item);
    this.state.steps = [];
    this.#endTurn({ type: 'end', wait: 0, reason: 'interrupted', usage: null, durationMs: 2100 });
  }

  /** Something that the host says in its transcript. */
  tell(body: ItemBody): void {
    this.#stand(body);
  }

  stop(outcome: Outcome): void {
    this.interrupt();
    this.state.steps = [];
    this.#stand({ type: 'ended', outcome, survivors: [] });
    this.state.status = null;
    this.#summarise({ type: 'ended', outcome, at: new Date().toISOString() });
    for (const feed of this.#feeds.values()) {
      feed.credited = feed.sent;
      this.#flush(feed);
      feed.on({ type: 'closed', reason: 'the session ended' });
    }
    this.#feeds.clear();
  }

  #begin(text: string, delivery: 'prompt' | 'queued', attachments: AttachedFile[] = []): void {
    this.state.turns += 1;
    const since = new Date().toISOString();
    this.state.status ??= freshStatus(this.state.summary);
    this.#setStatus({ state: { type: 'working', on: { type: 'model' }, since } });
    this.#stand({ type: 'userMessage', text, delivery, from: null, attachments });
    this.state.steps = demoTurn(text, this.state.turns);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    const step = this.state.steps[0];
    const asked = this.state.status?.permissions.length;
    if (!step || asked) return;
    this.#timer = setTimeout(() => this.#run(), step.wait / this.#speed);
  }

  #run(): void {
    const step = this.state.steps[0];
    if (!step) return;
    if (step.type !== 'ask') this.state.steps.shift();
    this.#perform(step);
    this.#schedule();
  }

  #perform(step: Step): void {
    switch (step.type) {
      case 'open':
        return this.#open(step.live, step.body, step.parent);
      case 'append':
        return this.#append(step.live, step.text);
      case 'close':
        return this.#close(step.live, step.body);
      case 'item':
        if (step.body.type === 'toolCall' && step.body.status === 'running')
          this.#work({ type: 'tool', name: step.body.name, since: new Date().toISOString() });
        this.#stand(step.body, step.parent);
        return;
      case 'callRuns':
        return this.#changeCall(step.call, { status: 'running' });
      case 'callPrints':
        return this.#prints(step.call, step.text);
      case 'callEnds':
        this.#changeCall(step.call, { endedAt: new Date().toISOString(), ...step.change });
        return this.#work({ type: 'model' });
      case 'ask':
        this.#stand({ type: 'permission', ...step.ask, state: { type: 'pending' } });
        this.#setStatus({
          permissions: [{ ask: step.ask, since: new Date().toISOString(), always: ruleOf('session').words }],
        });
        return this.#work({ type: 'permission', requestId: step.ask.requestId, since: new Date().toISOString() });
      case 'end':
        return this.#endTurn(step);
    }
  }

  #endTurn(end: Extract<Step, { type: 'end' }>): void {
    this.#stand({ type: 'turnEnd', stopReason: end.reason, usage: end.usage, durationMs: end.durationMs });
    const status = this.state.status;
    if (!status) return;
    // Whoever interrupts wants to say something first: what was queued waits for a word.
    const next = end.reason === 'interrupted' ? undefined : status.queue[0];
    const queue = next ? status.queue.slice(1) : status.queue;
    const usage = end.usage ? added(status.usage, end.usage) : status.usage;
    this.state.summary = { ...this.state.summary, usage };
    this.#setStatus({ state: { type: 'idle' }, usage, queue, permissions: [] });
    if (next) this.#begin(next.text, 'queued', next.attachments);
  }

  #work(on: Extract<PodStatus['state'], { type: 'working' }>['on']): void {
    const state = this.state.status?.state;
    if (state?.type === 'working') this.#setStatus({ state: { ...state, on } });
  }

  #open(live: string, body: ItemBody, parent?: string): void {
    const item: Item = { id: live, seq: 0, lastSeq: 0, at: new Date().toISOString(), parent: parent ?? null, body };
    this.state.live = [...this.state.live, item];
    this.#emit({ type: 'item', item });
  }

  #append(id: string, text: string): void {
    this.state.live = this.state.live.map((item) =>
      item.id === id && 'text' in item.body ? { ...item, body: { ...item.body, text: item.body.text + text } } : item,
    );
    this.#emit({ type: 'append', id, text });
  }

  #close(id: string, body: ItemBody): void {
    const live = this.state.live.find((item) => item.id === id);
    this.state.live = this.state.live.filter((item) => item.id !== id);
    this.#stand(body, live?.parent ?? undefined, id);
  }

  #stand(body: ItemBody, parent?: string, replaces?: string): void {
    this.state.seq += 1;
    const { seq } = this.state;
    const item: Item = {
      id: `${seq}.0`,
      seq,
      lastSeq: seq,
      at: new Date().toISOString(),
      parent: parent ?? null,
      body,
    };
    this.state.items.push(item);
    this.#emit({ type: 'item', item, replaces: replaces ?? null });
  }

  #change(id: string, body: ItemBody): void {
    const at = this.state.items.findIndex((item) => item.id === id);
    const old = this.state.items[at];
    if (!old) return;
    this.state.seq += 1;
    const item = { ...old, lastSeq: this.state.seq, body };
    this.state.items[at] = item;
    this.#emit({ type: 'item', item });
  }

  #changeCall(toolCallId: string, change: object): void {
    const item = this.#callItem(toolCallId);
    if (item?.body.type === 'toolCall') this.#change(item.id, { ...item.body, ...change });
  }

  #prints(toolCallId: string, text: string): void {
    const item = this.#callItem(toolCallId);
    if (item?.body.type !== 'toolCall') return;
    const printed = item.body.content.map((piece) => (piece.type === 'text' ? piece.text : '')).join('');
    const at = this.state.items.indexOf(item);
    this.state.items[at] = { ...item, body: { ...item.body, content: [{ type: 'text', text: printed + text }] } };
    this.#emit({ type: 'append', id: item.id, text });
  }

  #callItem(toolCallId: string): Item | undefined {
    return this.state.items.find((item) => item.body.type === 'toolCall' && item.body.toolCallId === toolCallId);
  }

  #withdraw(item: Item): void {
    const { body } = item;
    if (body.type === 'permission' && body.state.type === 'pending')
      this.#change(item.id, { ...body, state: { type: 'withdrawn' } });
    if (body.type === 'toolCall' && (body.status === 'running' || body.status === 'pending'))
      this.#change(item.id, { ...body, status: 'cancelled' });
  }

  #setStatus(change: Partial<PodStatus>): void {
    if (!this.state.status) return;
    const status = { ...this.state.status, ...change, version: this.state.status.version + 1 };
    this.state.status = status;
    this.#emit({ type: 'status', status });
    this.#summarise({
      type: 'live',
      state: status.state,
      waiting: status.permissions.length,
      queued: status.queue.length,
    });
  }

  #summarise(liveness: SessionSummary['liveness']): void {
    this.state.summary = { ...this.state.summary, liveness, updatedAt: new Date().toISOString() };
    this.#changed();
  }

  #emit(event: SessionEvent): void {
    for (const feed of this.#feeds.values()) {
      feed.waiting.push(event);
      this.#flush(feed);
    }
  }

  #flush(feed: Feed): void {
    if (feed.waiting.length === 0 || feed.sent - feed.credited >= AHEAD) return;
    feed.sent += 1;
    // The page gets copies, as it would over a real boundary.
    const events = structuredClone(feed.waiting);
    feed.waiting = [];
    feed.on({ type: 'events', frame: feed.sent, events });
  }
}

/** What a journal keeps of an attachment. */
function attached({ name, path, mimeType }: Attachment): AttachedFile {
  const isImage = mimeType?.startsWith('image/') ?? false;
  const shown = { name: name ?? 'file', mimeType: mimeType ?? 'application/octet-stream', bytes: 20_480 };
  return { ...shown, path, blob: isImage ? path : undefined };
}

/** The rule that "always" makes of any request here. */
export function ruleOf(reach: RuleReach): PermissionRule {
  const about = { type: 'files' as const, below: '~/src/oars' };
  const words = 'write_file on files in ~/src/oars';
  return { id: `rule-${reach}`, reach, tool: 'write_file', about, words, madeAt: new Date().toISOString() };
}

function finished(body: ItemBody): ItemBody {
  return body.type === 'agentMessage' || body.type === 'thought' ? { ...body, open: false } : body;
}

function added(a: Usage, b: Usage): Usage {
  const sum = (x: number | null, y: number | null) => (x == null && y == null ? null : (x ?? 0) + (y ?? 0));
  return {
    inputTokens: sum(a.inputTokens, b.inputTokens),
    outputTokens: sum(a.outputTokens, b.outputTokens),
    cacheReadTokens: sum(a.cacheReadTokens, b.cacheReadTokens),
    cacheWriteTokens: sum(a.cacheWriteTokens, b.cacheWriteTokens),
    costUsd: sum(a.costUsd, b.costUsd),
    contextUsed: b.contextUsed,
    contextSize: b.contextSize,
  };
}

/** The status of a session that has just come to life. */
export function freshStatus(summary: SessionSummary): PodStatus {
  return {
    session: summary.session,
    generation: 1,
    state: { type: 'idle' },
    queue: [],
    permissions: [],
    backgroundTasks: 0,
    usage: summary.usage,
    capabilities: null,
    model: summary.model,
    permissionMode: 'ask',
    permissionPolicy: 'ask',
    offers: offersOf(summary.provider),
    nativeSessionId: summary.nativeSessionId,
    cliVersion: null,
    recording: { type: 'on' },
    version: 1,
    health: { verdict: 'ok', reasons: [], since: null },
    retry: null,
    statistics: { lines: 0, bytes: 0, turns: 0, lastOutputAt: null },
  };
}

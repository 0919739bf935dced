// Which requests wait for the user, and which of them did the user put off? Putting one off answers nothing: it stays pending.

import type { Host } from '../host/host';
import type { PermissionOutcome } from '../protocol/PermissionOutcome';
import type { RuleReach } from '../protocol/RuleReach';
import type { WaitingRequest } from '../protocol/WaitingRequest';
import { keep, kept } from './kept';

/** What tells a request from every other one. */
export function keyOf({ summary, request }: WaitingRequest): string {
  return `${summary.session} ${request.ask.requestId}`;
}

/** The requests of every session. */
export class Inbox {
  all = $state.raw<WaitingRequest[]>([]);
  isOpen = $state(false);
  /** The key of the request that is to have the keyboard when the inbox opens; null is the oldest. */
  wanted = $state<string | null>(null);
  #later = $state.raw<string[]>(kept('later', []));
  /** Those that are to be answered, the oldest first. */
  readonly now = $derived(this.all.filter((request) => !this.#later.includes(keyOf(request))));
  /** Those that were put off. */
  readonly later = $derived(this.all.filter((request) => this.#later.includes(keyOf(request))));
  #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  async begin(): Promise<void> {
    await this.#host.watchRequests((requests) => this.#take(requests));
  }

  /** Opens the requests at one of them, or at the oldest. */
  openAt(session: string | null, requestId: string | null): void {
    this.wanted = session !== null && requestId !== null ? `${session} ${requestId}` : null;
    this.isOpen = true;
  }

  /** Puts a request off, or takes it back. */
  putOff(request: WaitingRequest, isLater: boolean): void {
    const others = this.#later.filter((key) => key !== keyOf(request));
    this.#keep(isLater ? [...others, keyOf(request)] : others);
  }

  /** Answers a request; with `always` what it is about is allowed from now on. */
  answer(
    { summary, request }: WaitingRequest,
    outcome: PermissionOutcome,
    message: string,
    always?: RuleReach,
  ): Promise<void> {
    const { requestId } = request.ask;
    const words = message === '' ? null : message;
    return this.#host.answerRequest(summary.session, { requestId, outcome, message: words, always });
  }

  #take(requests: WaitingRequest[]): void {
    this.all = requests;
    const there = new Set(requests.map(keyOf));
    // Requests that are gone need not be remembered.
    if (this.#later.some((key) => !there.has(key))) this.#keep(this.#later.filter((key) => there.has(key)));
  }

  #keep(later: string[]): void {
    this.#later = later;
    keep('later', later.length === 0 ? undefined : later);
  }
}

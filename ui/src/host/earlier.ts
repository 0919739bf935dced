// What can the page ask about conversations in the CLIs' own folders?

import type { EarlierList } from '../protocol/EarlierList';
import type { SessionId } from '../protocol/SessionId';

export interface EarlierHost {
  /** What each CLI has, and the conversations of this window's workspace where the user wants to see them. */
  earlierSessions(): Promise<EarlierList[]>;
  /** Makes a session of a conversation; nothing is written into the CLI's folder. */
  takeInSession(cli: string, nativeSessionId: string): Promise<SessionId>;
}

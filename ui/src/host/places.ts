// What can the places beside the sessions ask? Search, usage and the debug log, over all workspaces of the machine.

import type { LogExport } from '../protocol/LogExport';
import type { LogFilter } from '../protocol/LogFilter';
import type { LogPage } from '../protocol/LogPage';
import type { LogRequest } from '../protocol/LogRequest';
import type { SearchAnswer } from '../protocol/SearchAnswer';
import type { SearchRequest } from '../protocol/SearchRequest';
import type { SessionId } from '../protocol/SessionId';
import type { UsageReport } from '../protocol/UsageReport';
import type { UsageRequest } from '../protocol/UsageRequest';

export interface PlacesHost {
  /** Full text over all sessions. */
  search(request: SearchRequest): Promise<SearchAnswer>;
  usage(request: UsageRequest): Promise<UsageReport>;
  /** The place of an item in its session's transcript, from 0. */
  placeOfItem(session: SessionId, item: string): Promise<number>;
  readLog(request: LogRequest): Promise<LogPage>;
  /** Asks where to and writes a copy without secrets; null when the user thought better of it. */
  exportLog(filter: LogFilter, name: string): Promise<LogExport | null>;
}

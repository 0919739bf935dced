// What can the page ask about tool sidecars: those of its workspace and those of the user?

import type { SidecarCallFrame } from '../protocol/SidecarCallFrame';
import type { SidecarImports } from '../protocol/SidecarImports';
import type { SidecarLogLine } from '../protocol/SidecarLogLine';
import type { SidecarsFrame } from '../protocol/SidecarsFrame';
import type { WrittenImport } from '../protocol/WrittenImport';
import type { JsonValue } from '../protocol/serde_json/JsonValue';

/** A tool that is called by hand. */
export interface HandCall {
  sidecar: string;
  /** As the sidecar itself calls it. */
  tool: string;
  arguments: Record<string, JsonValue>;
}

export interface SidecarsHost {
  /** Calls `on` with all sidecars at once, and with what is other whenever something is; gives what ends it. */
  watchSidecars(on: (frame: SidecarsFrame) => void): Promise<() => void>;
  /** Builds it if need be, and starts it. It is answered when that is on its way. */
  startSidecar(name: string): Promise<void>;
  /** Stops it; it stays stopped until somebody starts it. */
  stopSidecar(name: string): Promise<void>;
  restartSidecar(name: string): Promise<void>;
  /** The answer to the trust question with this hash, or trust taken back. */
  trustSidecar(name: string, hash: string, trusted: boolean): Promise<void>;
  /** The newest lines of its build and its process, the oldest first. */
  sidecarLog(name: string): Promise<SidecarLogLine[]>;
  /** Calls a tool; what is given back cancels the call, unless it is over. */
  callSidecar(call: HandCall, on: (frame: SidecarCallFrame) => void): Promise<() => void>;
  /** MCP servers that the user has set up for other programs. Nothing is started. */
  importableServers(): Promise<SidecarImports>;
  /** Makes sidecars of the user's own out of these servers, by their ids; nothing is written if one of them cannot be. */
  importServers(ids: string[]): Promise<WrittenImport[]>;
}

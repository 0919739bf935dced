// What can the page ask of the program around it? One interface, two hosts: the Tauri shell and the replay in a browser.
//
// The page keeps nothing that these calls cannot give again. Every failure is a `WireError`.

import type { AnswerParams } from '../protocol/AnswerParams';
import type { ChosenFile } from '../protocol/ChosenFile';
import type { Direction } from '../protocol/Direction';
import type { DoctorReport } from '../protocol/DoctorReport';
import type { FeedFrame } from '../protocol/FeedFrame';
import type { FileMatches } from '../protocol/FileMatches';
import type { ItemPage } from '../protocol/ItemPage';
import type { KnownWorkspace } from '../protocol/KnownWorkspace';
import type { Mark } from '../protocol/Mark';
import type { OpenedSession } from '../protocol/OpenedSession';
import type { PageBegin } from '../protocol/PageBegin';
import type { PageOrder } from '../protocol/PageOrder';
import type { PermissionMode } from '../protocol/PermissionMode';
import type { PermissionPolicy } from '../protocol/PermissionPolicy';
import type { PermissionRule } from '../protocol/PermissionRule';
import type { ProcessInfo } from '../protocol/ProcessInfo';
import type { PromptParams } from '../protocol/PromptParams';
import type { PromptResult } from '../protocol/PromptResult';
import type { ProviderChoice } from '../protocol/ProviderChoice';
import type { SessionId } from '../protocol/SessionId';
import type { SessionList } from '../protocol/SessionList';
import type { SettingsView } from '../protocol/SettingsView';
import type { StartSession } from '../protocol/StartSession';
import type { StopResult } from '../protocol/StopResult';
import type { WaitingRequest } from '../protocol/WaitingRequest';
import type { WindowInfo } from '../protocol/WindowInfo';
import type { WindowLayout } from '../protocol/WindowLayout';
import type { WireError } from '../protocol/WireError';
import type { JsonValue } from '../protocol/serde_json/JsonValue';
import type { EarlierHost } from './earlier';
import type { PlacesHost } from './places';
import type { PodsHost } from './pods';
import type { UpdatesHost } from './updates';
import type { SidecarsHost } from './sidecars';

/** A session's feed that was opened with `followSession`. */
export interface Feed {
  /** Tells the host that a frame was taken in, so that it sends further ones. */
  credit(frame: number): void;
  /** Ends the feed. No frame comes after it. */
  close(): void;
}

export interface Host extends PlacesHost, PodsHost, SidecarsHost, EarlierHost, UpdatesHost {
  /** What came with the page, so that its first picture waits for no answer. All of it can be asked for and followed, too. */
  readonly begin: PageBegin | null;
  windowInfo(): Promise<WindowInfo>;
  /** Tells that the sessions can be seen and used, for the debug log. */
  pageShown(): Promise<void>;
  /** Calls `on` with the list of sessions at once and whenever it changes. */
  watchSessions(on: (list: SessionList) => void): Promise<void>;
  /** Calls `on` with the permission requests that wait in all workspaces, the oldest first, at once and whenever they change. */
  watchRequests(on: (requests: WaitingRequest[]) => void): Promise<void>;
  /** Answers a request that `watchRequests` told, whatever workspace it is of. */
  answerRequest(session: SessionId, params: AnswerParams): Promise<void>;
  /** Brings a session to the front, in the window of its workspace, which is opened if need be. */
  goToSession(session: SessionId): Promise<void>;
  /** Calls `on` with what somebody outside of the page wants it to show: the tray, a notification, a link, another window. */
  watchOrders(on: (order: PageOrder) => void): Promise<void>;
  /** Whether the user is notified about a session while he looks elsewhere. */
  isNotified(session: SessionId): Promise<boolean>;
  setNotified(session: SessionId, notified: boolean): Promise<void>;
  /** How this window was arranged when it was there last; null for one that never was. */
  readLayout(): Promise<WindowLayout | null>;
  /** Keeps how this window is arranged, over a restart. */
  keepLayout(layout: WindowLayout): Promise<void>;
  providerChoices(refresh: boolean): Promise<ProviderChoice[]>;
  doctor(refresh: boolean): Promise<DoctorReport>;
  /** A CLI's path chosen by hand, which then wins over every other; an empty one forgets the choice. */
  setCliPath(provider: string, path: string): Promise<ProviderChoice[]>;
  /** Starts a session; with a `parent`, as a pod below that session. */
  startSession(start: StartSession): Promise<SessionId>;
  /** The newest page of a session's items, and its status when it is live. */
  openSession(session: SessionId): Promise<OpenedSession>;
  /** Items by their place in the transcript, from 0. */
  readItems(session: SessionId, from: number, limit: number): Promise<ItemPage>;
  /** The places within a range of items that hold these words, in order; letters count the same in both cases. */
  findItems(session: SessionId, words: string, from: number, limit: number): Promise<number[]>;
  /** Prompts that began turns, errors and requests within a range of items, in order. */
  readMarks(session: SessionId, from: number, limit: number): Promise<Mark[]>;
  /** Everything that changed after record `fromSeq`, then what is streamed. */
  followSession(session: SessionId, fromSeq: number, on: (frame: FeedFrame) => void): Promise<Feed>;
  prompt(session: SessionId, params: PromptParams): Promise<PromptResult>;
  unqueue(session: SessionId, promptId: string): Promise<void>;
  /** Other words for a queued prompt, which keeps its place. */
  editQueued(session: SessionId, promptId: string, text: string): Promise<void>;
  /** Sends the first of the prompts that wait after an interrupt; the others follow it. */
  goOn(session: SessionId): Promise<void>;
  /** Files and folders of this window's workspace whose paths fit what was typed, the best first. */
  completeFiles(typed: string, limit: number): Promise<FileMatches>;
  /** Files that the user chooses; none when they choose none. */
  pickFiles(): Promise<ChosenFile[]>;
  /** Makes a file of what was pasted or dropped; `data` is in base64. */
  keepFile(name: string, data: string): Promise<ChosenFile>;
  /** How a chosen image looks, as a `data:` URL; null for other files. */
  previewFile(path: string): Promise<string | null>;
  /** How an image looks that went with a prompt, as a `data:` URL; null when it is gone. */
  attachedImage(session: SessionId, blob: string): Promise<string | null>;
  /** What was allowed for good in this window's workspace. */
  workspaceRules(): Promise<PermissionRule[]>;
  forgetWorkspaceRule(rule: string): Promise<void>;
  forgetRule(session: SessionId, rule: string): Promise<void>;
  /** Says who answers a live session's requests from now on. */
  setPolicy(session: SessionId, policy: PermissionPolicy): Promise<void>;
  answer(session: SessionId, params: AnswerParams): Promise<void>;
  interrupt(session: SessionId): Promise<void>;
  stop(session: SessionId, force: boolean): Promise<StopResult>;
  setSession(session: SessionId, model: string | null, permissionMode: PermissionMode | null): Promise<void>;
  readRecords(session: SessionId, fromSeq: number, limit: number, direction: Direction): Promise<JsonValue[]>;
  processes(session: SessionId): Promise<ProcessInfo[]>;
  /** Every setting with what it means, what it may be, and what it is now. */
  readSettings(): Promise<SettingsView>;
  /** Sets one setting, or with null gives it its default again. Refuses a value that may not be, and says what may. */
  writeSetting(key: string, value: JsonValue): Promise<SettingsView>;
  /** Calls `on` with all settings at once and whenever one changes, here, in another window or by an editor. */
  watchSettings(on: (settings: SettingsView) => void): Promise<void>;
  pickFolder(): Promise<string | null>;
  /** Opens the window of a folder, or brings it to the front. */
  openWorkspace(path: string): Promise<void>;
  /** The folders that were used as workspaces, the newest use first. */
  knownWorkspaces(): Promise<KnownWorkspace[]>;
  openLogs(): Promise<void>;
  /** Opens a link outside. Only http, https and mailto get here; see `openableUrl`. */
  openUrl(url: string): Promise<void>;
}

/** Whatever was thrown, as the error that the page shows. */
export function asWireError(thrown: unknown): WireError {
  if (typeof thrown === 'object' && thrown !== null && 'code' in thrown && 'message' in thrown)
    return thrown as WireError;
  return { code: 'internal', message: thrown instanceof Error ? thrown.message : String(thrown) };
}

/** The link as it may be handed to the host, or null for anything but http, https and mailto. */
export function openableUrl(href: string): string | null {
  try {
    const url = new URL(href);
    return ['http:', 'https:', 'mailto:'].includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

// Which settings does the replay have? A part of the real ones, of every kind, kept over a reload.
//
// `?settings=broken` is a file that cannot be read: every setting has its default and none can be written.

import type { JsonValue } from '../../protocol/serde_json/JsonValue';
import type { Setting } from '../../protocol/Setting';
import type { SettingKind } from '../../protocol/SettingKind';
import type { SettingsView } from '../../protocol/SettingsView';
import type { WireError } from '../../protocol/WireError';

const KEY = 'outrigger.replay.settings';
const FILE = '~/.config/dev.outrigger.desktop/settings.toml';
const BROKEN = `failed to read ${FILE}: TOML parse error at line 3, column 8. The defaults are in use until the file is corrected`;

const never = 'Never while you look at that session.';
const seconds: SettingKind = { type: 'number', min: 1, max: 86400, unit: 'seconds' };

function choice(...values: [string, string][]): SettingKind {
  return { type: 'choice', values: values.map(([value, label]) => ({ value, label })) };
}

/** Key, section, title, description, kind, default. */
const TABLE: [string, string, string, string, SettingKind, JsonValue][] = [
  [
    'appearance.theme',
    'Windows',
    'Theme',
    'Light or dark.',
    choice(['system', 'As the system'], ['light', 'Light'], ['dark', 'Dark']),
    'system',
  ],
  [
    'windows.last_closed',
    'Windows',
    'When the last window is closed',
    'In the tray the app can still tell you that an agent needs you. Agents go on either way.',
    choice(
      ['ask', 'Ask, while agents work'],
      ['tray', 'Stay in the tray'],
      ['quit', 'Quit; agents go on without the app'],
    ),
    'ask',
  ],
  [
    'windows.restore',
    'Windows',
    'Open the windows of last time',
    'At the start every window that was open comes back, where it was and with what it showed.',
    { type: 'flag' },
    true,
  ],
  [
    'pods.tools',
    'Pods',
    'Agents that command agents',
    "Whether a new session's agent is offered the tools that start, brief, read and stop other agents. You can start pods by hand either way.",
    choice(['on', 'Offered'], ['off', 'Not offered']),
    'on',
  ],
  [
    'windows.at_login',
    'Windows',
    'Start when you log in',
    'In the tray and without a window, to tell you when an agent needs you. A portable Outrigger does not.',
    { type: 'flag' },
    false,
  ],
  [
    'notifications.needs_you',
    'Notifications',
    'When an agent needs you',
    `It asks for a permission or has a question. ${never}`,
    { type: 'flag' },
    true,
  ],
  [
    'notifications.finished',
    'Notifications',
    'When an agent is done',
    `Its turn has ended. ${never}`,
    { type: 'flag' },
    true,
  ],
  [
    'notifications.failed',
    'Notifications',
    'When an agent fails',
    `It broke off, or its process was killed. ${never}`,
    { type: 'flag' },
    true,
  ],
  [
    'notifications.quiet_from',
    'Notifications',
    'Quiet from',
    'From this time of the day on nothing is notified. Both times are needed.',
    { type: 'time' },
    '',
  ],
  [
    'notifications.quiet_until',
    'Notifications',
    'Quiet until',
    'Until this time of the day, on the next day if it is earlier.',
    { type: 'time' },
    '',
  ],
  [
    'health.quiet_after_seconds',
    'Health',
    'Quiet after',
    'A working agent that has said nothing for so long is shown as quiet.',
    seconds,
    30,
  ],
  [
    'earlier.claude',
    'Earlier sessions',
    'Show those of Claude Code',
    'Lists the conversations that Claude Code keeps in `~/.claude`. One that you open is copied, and can be resumed. Nothing is written there.',
    { type: 'flag' },
    false,
  ],
  [
    'earlier.codex',
    'Earlier sessions',
    'Show those of Codex',
    'Lists the conversations that Codex keeps in `~/.codex`. One that you open is copied, and can be resumed. Nothing is written there.',
    { type: 'flag' },
    false,
  ],
  [
    'updates.look',
    'Updates',
    'Look for updates',
    'Once a day, where the build names a place. A newer version is downloaded; it is installed when you say so.',
    { type: 'flag' },
    true,
  ],
  [
    'paths.runtime',
    'Programs',
    'Runtime of all runners',
    'The node, deno or bun that runs the runners. Without it the first one that is found does.',
    { type: 'path' },
    '',
  ],
  [
    'paths.claude',
    'Programs',
    'Claude Code',
    'Where its program is. Without it, it is looked for: doctor tells where. Provider `claude`.',
    { type: 'path' },
    '',
  ],
];

/** The replayed file. */
export class ReplaySettings {
  #isBroken: boolean;
  #watchers: ((view: SettingsView) => void)[] = [];

  constructor(isBroken: boolean) {
    this.#isBroken = isBroken;
  }

  get view(): SettingsView {
    const values = this.#values();
    return {
      file: FILE,
      exists: true,
      problem: this.#isBroken ? BROKEN : null,
      settings: TABLE.map((row) => setting(row, values)),
      unknown: this.#isBroken ? [] : ['view.font'],
    };
  }

  /** The value that the file has for a setting. */
  set(key: string): JsonValue | undefined {
    return this.#values()[key];
  }

  write(key: string, value: JsonValue): SettingsView {
    if (this.#isBroken)
      throw fails('dataFolder', `failed to change ${FILE}: ${BROKEN}. Correct the file or move it away`);
    const kind = TABLE.find(([known]) => known === key)?.[4];
    if (!kind) throw fails('badRequest', `failed to change the settings: there is no \`${key}\``);
    if (value !== null && !fits(kind, value))
      throw fails(
        'badRequest',
        `failed to change the settings: \`${key}\` is ${JSON.stringify(value)}, which it may not be`,
      );
    const values = this.#values();
    if (value === null) delete values[key];
    else values[key] = value;
    sessionStorage.setItem(KEY, JSON.stringify(values));
    for (const on of this.#watchers) on(this.view);
    return this.view;
  }

  watch(on: (view: SettingsView) => void): void {
    this.#watchers.push(on);
    on(this.view);
  }

  #values(): Record<string, JsonValue> {
    const text = sessionStorage.getItem(KEY);
    return text === null || this.#isBroken ? {} : (JSON.parse(text) as Record<string, JsonValue>);
  }
}

function setting(
  [key, section, title, description, kind, usual]: (typeof TABLE)[number],
  values: Record<string, JsonValue>,
): Setting {
  const value = values[key];
  return {
    key,
    section,
    title,
    description,
    kind,
    default: usual,
    value: value ?? usual,
    isSet: value !== undefined,
    problem: null,
  };
}

function fits(kind: SettingKind, value: JsonValue): boolean {
  switch (kind.type) {
    case 'flag':
      return typeof value === 'boolean';
    case 'number':
      return Number.isInteger(value) && Number(value) >= kind.min && Number(value) <= kind.max;
    case 'choice':
      return kind.values.some((choice) => choice.value === value);
    case 'time':
      return typeof value === 'string' && (value === '' || /^([01]\d|2[0-3]):[0-5]\d$/.test(value));
    case 'path':
      return typeof value === 'string' && (value === '' || value.startsWith('/') || value.startsWith('~'));
  }
}

function fails(code: WireError['code'], message: string): WireError {
  return { code, message };
}

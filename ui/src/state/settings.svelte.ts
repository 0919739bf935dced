// What do the settings say? Read once for the window and kept as the file changes, here, in another window or in an editor.
//
// What the page itself obeys is done here: the theme.

import { asWireError, type Host } from '../host/host';
import type { Setting } from '../protocol/Setting';
import type { SettingsView } from '../protocol/SettingsView';
import type { JsonValue } from '../protocol/serde_json/JsonValue';

/** The settings of the machine, as this window sees them. */
export class Settings {
  view = $state.raw<SettingsView | null>(null);
  /** Why they cannot be read at all. */
  problem = $state('');
  #host: Host;
  #isWatching = false;

  constructor(host: Host) {
    this.#host = host;
  }

  /** Reads them and keeps them up to date. A window without them works with what is built in. */
  async begin(): Promise<void> {
    try {
      this.take(await this.#host.readSettings());
      if (!this.#isWatching) await this.#host.watchSettings((view) => this.take(view));
      this.#isWatching = true;
      this.problem = '';
    } catch (thrown) {
      this.problem = asWireError(thrown).message;
    }
  }

  /** Sets one, or with null gives it its default again. Throws a `WireError` that says what it may be. */
  async write(setting: Setting, value: JsonValue): Promise<void> {
    this.take(await this.#host.writeSetting(setting.key, value));
  }

  /** The value of a setting; undefined before they have been read and for a key that does not exist. */
  value(key: string): JsonValue | undefined {
    return this.view?.settings.find((setting) => setting.key === key)?.value;
  }

  /** They are like this now. */
  take(view: SettingsView): void {
    this.view = view;
    const theme = this.value('appearance.theme');
    if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
    else delete document.documentElement.dataset.theme;
  }
}

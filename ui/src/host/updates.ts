// What can the page ask about newer versions of the app?

import type { UpdateView } from '../protocol/UpdateView';

export interface UpdatesHost {
  /** Calls `on` with what is known of newer versions at once and whenever that changes. */
  watchUpdates(on: (view: UpdateView) => void): Promise<void>;
  /** Looks now; what comes of it is told by the watch. */
  lookForUpdates(): Promise<void>;
  /** Installs what was downloaded, and starts the app again. Agents go on. */
  installUpdate(): Promise<void>;
}

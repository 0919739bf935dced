// Which host does this page have? The shell when it runs inside one; otherwise the replay, which is loaded only then.

import type { Host } from './host';
import { insideShell, tauriHost } from './tauri';

/** The host of this page. */
export async function connect(): Promise<Host> {
  if (insideShell()) return tauriHost();
  const { replayHost } = await import('./replay/replay');
  return replayHost(new URLSearchParams(location.search));
}

// Which newer version does the replay know? `?update=` says: `none` is a build that looks for none, `newest`, `command` and `restart` are
// what a look finds, `refused` is a download that somebody else signed. Without it, nobody has looked yet and a look finds nothing.

import type { UpdateInstall } from '../../protocol/UpdateInstall';
import type { UpdateState } from '../../protocol/UpdateState';
import type { UpdateView } from '../../protocol/UpdateView';
import type { UpdatesHost } from '../updates';

const offer = {
  version: '0.2.0',
  notes:
    '### Added\n\n- Earlier sessions of Claude Code and Codex are listed and can be resumed.\n- A [tour](https://example.org/tour) of pods.\n\n### Mended\n\n- Long transcripts open at their end.',
  date: '2026-12-01T09:00:00Z',
};
const at = '2026-11-21T12:00:00Z';

const installs: Record<string, UpdateInstall> = {
  restart: { type: 'restart' },
  command: {
    type: 'command',
    command: 'sudo apt install /home/ada/.cache/dev.outrigger.desktop/updates/outrigger_0.2.0_amd64.deb',
    file: '/home/ada/.cache/dev.outrigger.desktop/updates/outrigger_0.2.0_amd64.deb',
  },
  byHand: { type: 'byHand', file: '/home/ada/.cache/dev.outrigger.desktop/updates/outrigger-0.2.0' },
};

/** What a look finds in this scene. */
function foundIn(scene: string | null): UpdateState {
  const install = installs[scene ?? ''];
  if (install) return { type: 'ready', offer, install };
  if (scene === 'refused')
    return {
      type: 'failed',
      message:
        'version 0.2.0 was refused: it is not signed by the publisher of this one. Do not install it by hand; tell the publisher',
      at,
    };
  return { type: 'newest', at };
}

/** The replayed updates. */
export function replayUpdates(query: URLSearchParams): UpdatesHost {
  const scene = query.get('update');
  const watchers: ((view: UpdateView) => void)[] = [];
  let state: UpdateState = scene === null || scene === 'none' ? { type: 'notLooked' } : foundIn(scene);
  const view = (): UpdateView => ({ current: '0.1.0', canLook: scene !== 'none', state: structuredClone(state) });
  const go = (to: UpdateState) => {
    state = to;
    for (const on of watchers) on(view());
  };
  return {
    watchUpdates: async (on) => {
      watchers.push(on);
      on(view());
    },
    lookForUpdates: async () => {
      go({ type: 'looking' });
      await Promise.resolve();
      go(foundIn(scene));
    },
    installUpdate: async () => go({ type: 'installing', offer }),
  };
}

// Are the credits of several feeds returned by one call, each with the newest frame that was taken in?

import { expect, it, vi } from 'vitest';

const invoked: [string, unknown][] = [];
vi.mock('@tauri-apps/api/core', () => ({
  Channel: class {},
  invoke: async (command: string, given: unknown) => {
    invoked.push([command, given]);
    return invoked.length;
  },
}));
const { tauriHost } = await import('./tauri');

it('returns the credits of all feeds together', async () => {
  const host = tauriHost();
  expect(host.begin).toBeNull();
  const feeds = [await host.followSession('a', 0, () => undefined), await host.followSession('b', 0, () => undefined)];
  invoked.length = 0;
  feeds[0]?.credit(1);
  feeds[1]?.credit(7);
  feeds[0]?.credit(2);
  await vi.waitFor(() => expect(invoked).toHaveLength(1));
  expect(invoked[0]).toEqual([
    'feed_credits',
    {
      credits: [
        [1, 2],
        [2, 7],
      ],
    },
  ]);
  feeds[1]?.credit(8);
  await vi.waitFor(() => expect(invoked).toHaveLength(2));
});

it('finds what came with the page', () => {
  document.head.innerHTML = '<script type="application/json" id="begin">{"list":null}</script>';
  expect(tauriHost().begin).toEqual({ list: null });
});

// Takes the pictures of docs/screenshots: the page on the replay host, in both themes, at a fixed time of a fixed day.
//
// `./dev screenshots` builds the page and runs this; `./dev screenshots usage search` takes only those.

import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { openBrowser } from '../tests/ui/page.mjs';

const folder = fileURLToPath(new URL('../docs/screenshots', import.meta.url));

/** When it is in the pictures; the same each time, so that only what changed differs. */
const now = new Date('2026-11-20T15:04:00Z');

const place = (keys, ready) => async (page) => {
  await page.locator('[data-session=b-port]').click();
  await page.keyboard.press(keys);
  await ready(page);
};

/** Each picture: the scene, and how to get to what it shows. */
const pictures = {
  workspace: [
    'replay=busy',
    async (page) => {
      await page.locator('[data-session=b-rename]').click();
      await page.getByTestId('permission-allow').waitFor();
      await page.locator('[data-session=b-port]').click({ modifiers: ['Control'] });
      await page.getByText('Edit src/lexer.mjs').or(page.getByText('src/lexer.mjs')).first().waitFor();
      await page.getByTestId('pane').nth(1).locator('[data-kind=toolCall]').nth(2).locator('button').first().click();
    },
  ],
  'permission-inbox': [
    'replay=waiting',
    async (page) => {
      await page.locator('[data-session=s-parent]').click();
      await page.keyboard.press('Alt+i');
      await page.getByTestId('inbox-request').nth(2).waitFor();
    },
  ],
  pods: [
    'replay=pods',
    async (page) => {
      await page.locator('[data-testid=session-row][data-session=p-main]').click();
      await page.getByTestId('inspector-toggle').click();
      await page.getByRole('tab', { name: 'Pods' }).click();
      await page.getByTestId('pods-hide-ended').click();
      await page.getByTestId('pods-part').getByText('Time line').click();
      await page.getByTestId('moment').nth(20).waitFor();
    },
  ],
  doctor: ['replay=busy', place('Alt+d', (page) => page.getByTestId('doctor-verdict').waitFor())],
  usage: ['replay=busy', place('Alt+u', (page) => page.getByTestId('usage-row').first().waitFor())],
  search: [
    'replay=busy',
    place('Control+Shift+f', async (page) => {
      await page.getByTestId('search-input').fill('lexer');
      await page.getByTestId('search-hit').first().waitFor();
    }),
  ],
  'debug-log': ['replay=busy', place('Alt+g', (page) => page.getByTestId('log-line').first().waitFor())],
  sidecars: [
    'replay=sidecars',
    place('Alt+s', async (page) => {
      await page.locator('[data-testid=sidecar][data-name=staging-db]').click();
      await page.locator('[data-tool=query] > button').click();
      await page.locator('[data-field=sql]').fill('select id, title from sessions order by updated_at desc');
      await page.getByTestId('call-send').click();
      await page.getByTestId('call-result').waitFor();
    }),
  ],
  'sidecars-trust': [
    'replay=sidecars',
    place('Alt+s', async (page) => {
      await page.locator('[data-testid=sidecar][data-name=release]').click();
      await page.getByTestId('trust-question').waitFor();
    }),
  ],
  'sidecars-failed': [
    'replay=sidecars',
    place('Alt+s', async (page) => {
      await page.locator('[data-testid=sidecar][data-name=lint]').click();
      await page.getByTestId('sidecar-failure').waitFor();
    }),
  ],
  'sidecars-import': [
    'replay=sidecars',
    place('Alt+s', async (page) => {
      await page.getByTestId('sidecars-import').click();
      await page.getByTestId('importable').first().waitFor();
      await page.getByTestId('imports-all').click();
    }),
  ],
  'sidecars-empty': ['replay=busy', place('Alt+s', (page) => page.getByTestId('sidecars-empty').waitFor())],
  settings: ['replay=busy', place('Control+,', (page) => page.getByTestId('setting').first().waitFor())],
  'empty-state': ['replay=first-run', (page) => page.getByTestId('first-run').waitFor()],
  'error-state': [
    'replay=states',
    async (page) => {
      await page.locator('[data-session=s-broken]').click();
      await page.getByTestId('error-tail').click();
    },
  ],
  palette: [
    'replay=busy',
    async (page) => {
      await page.locator('[data-session=b-port]').click();
      await page.getByTestId('transcript').waitFor();
      await page.keyboard.press('Control+k');
      await page.getByTestId('palette-entry').first().waitFor();
    },
  ],
};

const wanted = process.argv.slice(2);
const unknown = wanted.find((name) => !(name in pictures));
if (unknown) throw new Error(`there is no picture ${unknown}; there are: ${Object.keys(pictures).join(', ')}`);

/** What is to be closed at the end, the last first. */
const ends = [];
const context = { after: (end) => ends.unshift(end) };
const browser = await openBrowser(context);
mkdirSync(folder, { recursive: true });
try {
  for (const [name, [query, prepare]] of Object.entries(pictures)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    for (const colorScheme of ['light', 'dark']) {
      const look = { colorScheme, reducedMotion: 'reduce', timezoneId: 'UTC', viewport: { width: 1440, height: 900 } };
      const page = await browser.scene(context, query, { ...look, now });
      await prepare(page);
      await page.waitForLoadState('networkidle');
      // The pointer is where it points at nothing.
      await page.mouse.move(720, 890);
      await page.screenshot({ path: path.join(folder, `${name}-${colorScheme}.png`), animations: 'disabled' });
      console.log(`docs/screenshots/${name}-${colorScheme}.png`);
    }
  }
} finally {
  for (const end of ends) await end();
}

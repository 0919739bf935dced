// Is the window's first picture its last: are its words in their own face from the beginning?

import assert from 'node:assert/strict';
import test, { after } from 'node:test';
import { openBrowser } from './page.mjs';

const browser = await openBrowser({ after });

/** Notes for each look of the page whether the face was there when its first words were put into it. */
function watchFirstWords() {
  new MutationObserver((_, observer) => {
    if (!document.querySelector('#app')?.firstElementChild) return;
    observer.disconnect();
    Object.assign(window, { facesAtFirstWords: [...document.fonts].filter((face) => face.status === 'loaded').length });
  }).observe(document, { childList: true, subtree: true });
}

test('the face of the words is there before the first words, and is asked for once', async (t) => {
  const page = await browser.scene(t, 'replay=demo');
  /** @type {string[]} */
  const asked = [];
  page.on('request', (request) => request.url().endsWith('.woff2') && asked.push(request.url()));
  await page.addInitScript(watchFirstWords);
  await page.reload();
  await page.getByTestId('new-session').waitFor();
  assert.equal(await page.evaluate(() => Reflect.get(window, 'facesAtFirstWords')), 1);
  assert.equal(asked.filter((url) => url.includes('inter-latin-wght')).length, 1, asked.join('\n'));
});

test('a face that cannot be loaded costs the window nothing but its looks', async (t) => {
  const page = await browser.scene(t, 'replay=demo');
  await page.route('**/*.woff2', (route) => route.fulfill({ contentType: 'font/woff2', body: 'no face' }));
  await page.reload();
  await page.getByTestId('new-session').waitFor();
});

test('a face that does not come holds the window up for a moment only', async (t) => {
  const page = await browser.scene(t, 'replay=demo');
  await page.route('**/*.woff2', () => {});
  await page.reload({ waitUntil: 'commit' });
  await page.getByTestId('new-session').waitFor();
  assert.equal(await page.evaluate(() => [...document.fonts].some((face) => face.status === 'loaded')), false);
});

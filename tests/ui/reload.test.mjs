// Does a reload in the middle of a stream show everything, once, in the same order; and are drafts still there?

import assert from 'node:assert/strict';
import test, { after } from 'node:test';
import { openBrowser, start, transcript } from './page.mjs';

const browser = await openBrowser({ after });
const words = (rows) => rows.map((row) => `${row.kind}: ${row.text.replace(/\d+(\.\d+)? s\b/g, '')}`);

/** One whole turn, reloaded each time one of these rows can be seen. */
async function turn(t, reloadAt) {
  const page = await browser.scene(t, 'replay=demo&speed=3');
  await start(page, 'What is here?');
  for (const selector of reloadAt) {
    await page.locator(selector).first().waitFor();
    await page.reload();
    await page.getByTestId('transcript').waitFor();
  }
  await page.getByTestId('permission-allow').click();
  await page.getByTestId('turn-end').waitFor();
  return transcript(page);
}

test('nothing is missing and nothing is there twice', async (t) => {
  const undisturbed = await turn(t, []);
  const reloaded = await turn(t, [
    '[data-kind=thought]',
    '[data-kind=agentMessage] li',
    '[data-testid=permission-allow]',
  ]);
  assert.equal(new Set(reloaded.map((row) => row.id)).size, reloaded.length);
  assert.deepEqual(words(reloaded), words(undisturbed));
});

test('a draft is kept for its session', async (t) => {
  const page = await browser.scene(t, 'replay=states');
  await page.locator('[data-session=s-idle]').click();
  await page.getByTestId('composer-input').fill('half a thought');
  await page.locator('[data-session=s-done]').click();
  await page.waitForFunction(() => document.querySelector('[data-testid=composer-input]')?.value === '');
  await page.locator('[data-session=s-idle]').click();
  await page.reload();
  await page.waitForFunction(() => document.querySelector('[data-testid=composer-input]')?.value === 'half a thought');
  assert.equal(
    await page.locator('[data-session=s-idle]').getAttribute('aria-current'),
    'true',
    'the same session is open again',
  );
});

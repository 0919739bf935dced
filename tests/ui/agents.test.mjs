// Does an open window see an agent that the user has just added or broken in another program?

import assert from 'node:assert/strict';
import test, { after } from 'node:test';
import { openBrowser } from './page.mjs';

const browser = await openBrowser({ after });

/** @param {import('playwright-core').Page} page */
async function comeBack(page) {
  await page.evaluate(() => window.dispatchEvent(new Event('focus')));
}

test('an agent that was added is there when the user comes back, and a broken one says what is wrong', async (t) => {
  const page = await browser.scene(t, 'replay=demo');
  await page.getByTestId('provider-select').click();
  assert.equal(await page.getByRole('option', { name: 'File counter' }).count(), 0);
  await page.keyboard.press('Escape');
  await page.evaluate(() => {
    const provider = {
      id: 'counter',
      name: 'File counter',
      capabilities: {},
      models: [],
      defaultModel: null,
      defaultPermissionMode: 'ask',
      needsCli: null,
      installHint: null,
    };
    const broken = { ...provider, id: 'broken:/p/mine.toml', name: 'mine' };
    const note = '/p/mine.toml: line 4: adapter: there is no adapter `pain`';
    window.replayed.agents.push({ provider, available: true, note: '' }, { provider: broken, available: false, note });
  });
  await comeBack(page);
  await page.getByTestId('provider-select').click();
  await page.getByRole('option', { name: 'File counter' }).waitFor();
  const broken = page.getByRole('option', { name: /mine/ });
  assert.match((await broken.textContent()) ?? '', /line 4: adapter: there is no adapter `pain`/);
  assert.notEqual(await broken.getAttribute('data-disabled'), null, 'it cannot be chosen');
  await page.getByRole('option', { name: 'File counter' }).click();
  assert.match((await page.getByTestId('provider-select').textContent()) ?? '', /File counter/);
});

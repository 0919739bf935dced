// Are conversations in the CLIs' own folders offered once, listed only when the user wants that, and sessions when they are opened?

import assert from 'node:assert/strict';
import test, { after } from 'node:test';
import { counted, openBrowser, picture, violations } from './page.mjs';

const browser = await openBrowser({ after });

const rows = (page, cli) => page.locator(`[data-testid=earlier][data-cli=${cli}] [data-earlier]`);

test('nothing is listed before the user says so; then they can be opened, and are sessions', async (t) => {
  const page = await browser.scene(t, 'replay=demo&earlier=offered');
  await page
    .getByTestId('earlier-offer')
    .getByText('214 conversations of Claude Code and 2 conversations of Codex')
    .waitFor();
  assert.equal(await page.getByTestId('earlier').count(), 0);
  await picture(page, 'earlier-offer');
  assert.deepEqual(await violations(page), []);
  await page.getByTestId('earlier-show').click();
  await counted(rows(page, 'claude'), 5);
  await page.getByTestId('earlier-offer').waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Show 1 more' }).click();
  await counted(rows(page, 'claude'), 6);
  await picture(page, 'earlier');
  assert.deepEqual(await violations(page), []);
  await rows(page, 'claude').getByText('Why does the lamp flicker').click();
  await page.getByTestId('item').getByText('It was the mirror.').waitFor();
  await counted(rows(page, 'claude'), 5);
});

test('whoever does not want them is not asked again, and finds the setting', async (t) => {
  const page = await browser.scene(t, 'replay=demo&earlier=offered');
  await page.getByTestId('earlier-hide').click();
  await page.getByTestId('earlier-offer').waitFor({ state: 'detached' });
  assert.equal(await page.getByTestId('earlier').count(), 0);
  await page.keyboard.press('Control+,');
  const setting = page.locator('[data-testid=setting][data-key="earlier.codex"]');
  await setting.getByRole('switch').click();
  await counted(rows(page, 'codex'), 2);
});

test('one that cannot be read is told where it stands', async (t) => {
  const page = await browser.scene(t, 'replay=demo&earlier=shown');
  await rows(page, 'codex').getByText('this one cannot be read').click();
  await page.getByTestId('earlier-problem').getByText('permission denied').waitFor();
  assert.deepEqual(await violations(page), []);
});

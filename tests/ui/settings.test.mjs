// Are all settings on one page, found by words and keys, written at once, and refused with a reason?

import assert from 'node:assert/strict';
import test, { after } from 'node:test';
import { counted, openBrowser } from './page.mjs';

const browser = await openBrowser({ after });

async function settings(t, query = 'replay=states') {
  const page = await browser.scene(t, query);
  await page.keyboard.press('Control+,');
  await page.getByTestId('settings').waitFor();
  return page;
}

const row = (page, key) => page.locator(`[data-testid=setting][data-key="${key}"]`);

test('they are found by what they mean and by their key', async (t) => {
  const page = await settings(t);
  await page.getByTestId('settings-search').fill('quiet from');
  await counted(page.getByTestId('setting'), 1);
  await page.getByTestId('settings-search').fill('windows.restore');
  await row(page, 'windows.restore').waitFor();
  await counted(page.getByTestId('setting'), 1);
  await page.getByTestId('settings-search').fill('teleport');
  await page.getByTestId('settings-none').waitFor();
  await page.keyboard.press('Escape');
  await row(page, 'appearance.theme').waitFor();
});

test('a switch, a choice and a number are written at once, and the default comes back', async (t) => {
  const page = await settings(t);
  const restore = row(page, 'windows.restore');
  await restore.getByRole('switch').press('Space');
  await restore.getByText('default: on').waitFor();
  assert.equal(await restore.getByRole('switch').getAttribute('aria-checked'), 'false');
  await restore.getByRole('button', { name: /Back to the default/ }).click();
  await restore.getByText('default: on').waitFor({ state: 'detached' });
  const quiet = row(page, 'health.quiet_after_seconds');
  await quiet.getByTestId('setting-field').fill('45');
  await page.keyboard.press('Enter');
  await quiet.getByText('default: 30 seconds').waitFor();
  await page.reload();
  await quiet.waitFor();
  assert.equal(await quiet.getByTestId('setting-field').inputValue(), '45');
});

test('the theme is obeyed, whatever the system prefers', async (t) => {
  const page = await settings(t);
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await ground();
  await row(page, 'appearance.theme').getByTestId('setting-choice').click();
  await page.getByRole('option', { name: 'Dark' }).click();
  await page.waitForFunction((before) => getComputedStyle(document.body).backgroundColor !== before, light);
  await row(page, 'appearance.theme').getByTestId('setting-choice').click();
  await page.getByRole('option', { name: 'Light' }).click();
  await page.waitForFunction((before) => getComputedStyle(document.body).backgroundColor === before, light);
});

test('a value that may not be is refused with the reason, and Escape takes it back', async (t) => {
  const page = await settings(t);
  const path = row(page, 'paths.claude');
  await path.getByTestId('setting-field').fill('somewhere');
  await page.keyboard.press('Enter');
  await path.getByRole('alert').getByText('which it may not be').waitFor();
  await path.getByTestId('setting-field').focus();
  await page.keyboard.press('Escape');
  assert.equal(await path.getByTestId('setting-field').inputValue(), '');
  await page.getByTestId('settings').waitFor();
});

test('a file that cannot be read is told and not written; keys that are not known are named', async (t) => {
  const page = await settings(t, 'replay=states&settings=broken');
  await page.getByTestId('settings-file-problem').getByText('TOML parse error').waitFor();
  assert.ok(await row(page, 'windows.restore').getByRole('switch').isDisabled());
  const sound = await settings(t);
  await sound.getByTestId('settings-unknown').getByText('view.font').waitFor();
});

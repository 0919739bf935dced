// Is the user told of a newer version, with what has changed in it and what installs it, and is nothing installed before they say so?

import assert from 'node:assert/strict';
import test, { after } from 'node:test';
import { openBrowser, picture, violations } from './page.mjs';

const browser = await openBrowser({ after });

async function updates(t, query) {
  const page = await browser.scene(t, `replay=states&${query}`);
  await page.keyboard.press('Control+,');
  await page.getByTestId('update').waitFor();
  return page;
}

test('a newer version is told in the status line, and installed when the user says so', async (t) => {
  const page = await browser.scene(t, 'replay=states&update=restart');
  await page.getByTestId('update-ready').click();
  const card = page.getByTestId('update');
  await card.getByText('Version 0.2.0 is here').waitFor();
  await page.getByTestId('update-notes').getByText('Earlier sessions of Claude Code').waitFor();
  await picture(page, 'updates');
  assert.deepEqual(await violations(page), []);
  assert.equal(await card.getAttribute('data-state'), 'ready');
  await page.getByTestId('update-install').click();
  await card.getByText('The app then starts again; agents go on.').waitFor();
});

test('what a package of the system installed is updated by a command, which is shown', async (t) => {
  const page = await updates(t, 'update=command');
  await page.getByTestId('update-command').getByText('sudo apt install /home/ada').waitFor();
  assert.equal(await page.getByTestId('update-install').count(), 0);
  assert.deepEqual(await violations(page), []);
});

test('a look finds nothing, or a download that somebody else signed', async (t) => {
  const page = await updates(t, 'update=newest&other=1');
  await page.getByTestId('update-look').click();
  await page.getByTestId('update').getByText('There is nothing newer.').waitFor();
  const other = await updates(t, 'update=refused');
  await other.getByTestId('update').getByText('not signed by the publisher').waitFor();
  assert.equal(await other.getByTestId('update-ready').count(), 0);
  assert.deepEqual(await violations(other), []);
});

test('a build without a place of updates says so and offers no look', async (t) => {
  const page = await updates(t, 'update=none');
  await page.getByTestId('update').getByText('names no place').waitFor();
  assert.equal(await page.getByTestId('update-look').count(), 0);
});

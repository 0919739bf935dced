// Does a whole session work in the page: start, stream, permission, steer, queue, stop, errors, resume?

import assert from 'node:assert/strict';
import test, { after } from 'node:test';
import { openBrowser, settled, start, transcript } from './page.mjs';

const browser = await openBrowser({ after });
const SPEED = 'replay=demo&speed=4';

test('a session streams, asks, and ends its turn', async (t) => {
  const page = await browser.scene(t, SPEED);
  await start(page, 'What is here?');
  await page.locator('[data-kind=agentMessage]').first().waitFor();
  await page.getByTestId('permission-allow').waitFor();
  assert.equal(await page.getByTestId('session-row').getAttribute('data-state'), 'needsYou');
  assert.match(
    (await page.getByTestId('status-line').textContent()) ?? '',
    /Permission needed: Write OUTRIGGER-DEMO.md/,
  );
  await page.getByTestId('permission-allow').click();
  await page.getByTestId('turn-end').waitFor();
  const rows = await transcript(page);
  const kinds = rows.map((row) => row.kind);
  assert.deepEqual(kinds, [
    ...['userMessage', 'thought', 'plan', 'toolCall', 'toolCall', 'agentMessage', 'toolCall', 'permission'],
    ...['agentMessage', 'turnEnd'],
  ]);
  assert.match(rows[7].text, /^Allowed Write OUTRIGGER-DEMO.md/);
  assert.match(rows[9].text, /Turn ended ?6\.4 s · 4\.2k in · 310 out · \$0\.02/);
  assert.match((await page.getByTestId('status-line').textContent()) ?? '', /Turn ended after 6.4 s/);
  assert.equal(await page.getByTestId('session-row').getAttribute('data-state'), 'idle');
});

test('a denial carries a word to the agent', async (t) => {
  const page = await browser.scene(t, SPEED);
  await start(page, 'What is here?');
  await page.getByTestId('permission-word').fill('Not in this folder');
  await page.getByTestId('permission-word').press('Enter');
  await page.getByTestId('turn-end').waitFor();
  const rows = await transcript(page);
  assert.ok(rows.some((row) => row.text.includes('Denied Write OUTRIGGER-DEMO.md “Not in this folder”')));
  assert.ok(rows.some((row) => row.kind === 'toolCall' && row.text.includes('denied')));
});

test('a working agent is steered, given more to do, and stopped', async (t) => {
  const page = await browser.scene(t, 'replay=demo');
  await start(page, 'Long work');
  await page.getByTestId('composer-stop').waitFor();
  await page.getByTestId('composer-input').fill('Look at the tests too');
  await page.getByTestId('composer-steer').click();
  await page.getByText('steered').waitFor();
  await page.getByTestId('composer-input').fill('First in the queue');
  await page.getByTestId('composer-queue').click();
  await page.getByTestId('queued-prompt').getByText('First in the queue').waitFor();
  await page.getByTestId('queued-remove').click();
  await page.getByTestId('queued-prompt').waitFor({ state: 'detached' });
  await page.getByTestId('composer-stop').click();
  await page.locator('[data-testid=turn-end][data-reason=interrupted]').waitFor();
  await page.getByTestId('composer-send').waitFor();
  assert.ok(!(await transcript(page)).some((row) => row.text.includes('First in the queue')));
});

test('a queued prompt is sent when the turn has ended', async (t) => {
  const page = await browser.scene(t, SPEED);
  await start(page, 'One');
  await page.getByTestId('composer-stop').waitFor();
  await page.getByTestId('composer-input').fill('Two');
  await page.keyboard.press('Control+Enter');
  await page.getByTestId('queued-prompt').getByText('Two').waitFor();
  await page.getByTestId('permission-deny').click();
  await page.locator('[data-kind=userMessage]').getByText('Two', { exact: true }).waitFor();
  assert.equal(await page.getByTestId('queued-prompt').count(), 0);
});

test('words that could not be sent come back', async (t) => {
  const page = await browser.scene(t, SPEED);
  await start(page, 'Hello');
  await page.getByTestId('permission-deny').click();
  await page.getByTestId('turn-end').waitFor();
  await page.getByTestId('composer-input').fill('demo:reject but keep this');
  await page.keyboard.press('Enter');
  await page.getByTestId('composer-error').getByText('does not answer').waitFor();
  assert.equal(await page.getByTestId('composer-input').inputValue(), 'demo:reject but keep this');
});

test('a session that cannot start says why and keeps the prompt', async (t) => {
  const page = await browser.scene(t, SPEED);
  await start(page, 'demo:exit-at-once please');
  await page.getByTestId('start-error').getByText('ended before it said that it was ready').waitFor();
  assert.equal(await page.getByTestId('composer-input').inputValue(), 'demo:exit-at-once please');
});

test('an ended session is resumed by a prompt', async (t) => {
  const page = await browser.scene(t, 'replay=states&speed=4');
  await page.locator('[data-session=s-broken]').click();
  await settled(page);
  await page.getByTestId('error-resume').click();
  assert.equal(await page.getByTestId('composer-input').inputValue(), 'Continue where you left off.');
  await page.keyboard.press('Enter');
  await page.getByTestId('permission-allow').waitFor();
  assert.equal(await page.locator('[data-session=s-broken]').getAttribute('data-state'), 'needsYou');
});

test('a session is ended from its menu', async (t) => {
  const page = await browser.scene(t, SPEED);
  await start(page, 'Hello');
  await page.getByTestId('composer-stop').waitFor();
  await page.getByTestId('session-menu').click();
  await page.getByTestId('session-end').click();
  await page.locator('[data-testid=session-row][data-state=stopped]').waitFor();
  await page.getByText('Session stopped').first().waitFor();
});

test('without any agent the demo is one click away', async (t) => {
  const page = await browser.scene(t, 'replay=first-run&speed=4');
  await page.getByTestId('first-run').getByText('curl -fsSL https://claude.ai/install.sh').waitFor();
  await page.getByTestId('demo-start').click();
  await page.getByTestId('permission-allow').waitFor();
  assert.match((await page.getByTestId('session-row').textContent()) ?? '', /Demo agent/);
});

test('doctor tells what was found and what to do', async (t) => {
  const page = await browser.scene(t, 'replay=first-run');
  await page.getByTestId('doctor-open').click();
  const doctor = page.getByTestId('doctor');
  await doctor.getByText('22.11.0 at /usr/bin/node').waitFor();
  await doctor.getByRole('button', { name: 'Choose by hand' }).first().click();
  await doctor.getByTestId('cli-path').fill('/nowhere');
  await doctor.getByTestId('cli-path-save').click();
  await doctor.getByText('No program can be started at that path.').waitFor();
  await page.keyboard.press('Escape');
  await doctor.waitFor({ state: 'detached' });
});

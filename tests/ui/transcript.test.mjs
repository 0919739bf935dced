// Does a transcript tell its turns, fold what is past, show where one is, and leave as markdown?

import assert from 'node:assert/strict';
import test, { after } from 'node:test';
import { openBrowser, settled, start, transcript } from './page.mjs';

const browser = await openBrowser({ after });

test('a plan that a newer one replaced is one line, which unfolds', async (t) => {
  const page = await browser.scene(t, 'replay=demo&speed=6');
  await start(page, 'First');
  await page.getByTestId('permission-allow').click();
  await page.getByTestId('turn-end').waitFor();
  assert.ok(
    (await transcript(page)).some((row) => /^Plan 0 of 3/.test(row.text)),
    'the only plan is whole',
  );
  await start(page, 'Second');
  await page.getByTestId('permission-allow').click();
  await page.getByTestId('turn-end').nth(1).waitFor();
  const plans = (await transcript(page)).filter((row) => row.kind === 'plan');
  assert.match(plans[0].text, /^Earlier plan ?0 of 3$/);
  assert.match(plans[1].text, /^Plan 0 of 3.*Write a summary/);
  await page.getByTestId('transcript').evaluate((list) => (list.scrollTop = 0));
  await page.getByTestId('plan-earlier').getByRole('button').click();
  await page.getByTestId('plan-earlier').getByText('Read what matters').waitFor();
});

test('an event that no adapter knows is a line that unfolds to its JSON', async (t) => {
  const page = await browser.scene(t, 'replay=states');
  await page.locator('[data-session=s-ask]').click();
  await settled(page);
  const unknown = page.locator('[data-kind=unknown]');
  await unknown.scrollIntoViewIfNeeded();
  await unknown.getByRole('button', { name: 'Event rate_limit_event' }).click();
  await unknown.getByText('"resetsAt": 1795300000').waitFor();
});

test('the session is copied as markdown, by the palette', async (t) => {
  const page = await browser.scene(t, 'replay=states', { permissions: ['clipboard-read', 'clipboard-write'] });
  await page.locator('[data-session=s-ask]').click();
  await page.getByTestId('permission-allow').waitFor();
  await page.keyboard.press('Control+k');
  await page.keyboard.type('markdown');
  await page.keyboard.press('Enter');
  await page.getByTestId('status-line').getByText('Transcript copied').waitFor();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  assert.match(copied, /^# Rename the crate and everything that names it\n\n\*\*You:\*\* Rename the crate/);
  assert.match(copied, /```rust\nuse outrigger_oars::reach;/);
  assert.match(copied, /- \[x\] Find every mention\n- \[ \] Rename the crate/);
  assert.match(copied, /---\n1 m 24 s · 35k in · 1\.1k out · \$0\.03/);
});

test('the map shows prompts, errors and requests, and leads there; keys do the same', async (t) => {
  const page = await browser.scene(t, 'replay=states');
  await page.locator('[data-session=s-ask]').click();
  await settled(page);
  await page.locator('[data-testid=map-mark][data-kind=pending]').waitFor();
  const kinds = await page
    .getByTestId('map-mark')
    .evaluateAll((all) => all.map((mark) => mark.getAttribute('data-kind')));
  assert.deepEqual(kinds.toSorted(), ['pending', 'request', 'turn', 'turn']);
  const first = await page.locator('[data-testid=map-mark][data-kind=turn]').first().boundingBox();
  await page.mouse.click(first.x + 3, first.y + 1);
  await page.locator('[data-kind=userMessage]').getByText('everything that names it. Run the tests').waitFor();
  await page.getByTestId('jump-latest').waitFor();
  await page.keyboard.press('Alt+End');
  await page.getByTestId('jump-latest').waitFor({ state: 'detached' });
  await page.keyboard.press('Alt+PageUp');
  await page.getByTestId('jump-latest').waitFor();
  await page.getByTestId('jump-latest').click();
  await page.getByTestId('permission-allow').click();
  await page.locator('[data-testid=map-mark][data-kind=pending]').waitFor({ state: 'detached' });
});

test('a key that follows another at once means the rows that are in view by then', async (t) => {
  const page = await browser.scene(t, 'replay=states');
  await page.locator('[data-session=s-ask]').click();
  await settled(page);
  await page.locator('[data-testid=map-mark][data-kind=pending]').waitFor();
  for (let round = 0; round < 4; round++) {
    await page.keyboard.press('Alt+PageUp');
    await page.getByTestId('jump-latest').waitFor();
    // Faster than a driver could press, and than the web view tells that it has scrolled: in the next task of the page.
    await page.evaluate(async () => {
      const press = (key) =>
        document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key, altKey: true, bubbles: true }));
      press('End');
      const next = new MessageChannel();
      await new Promise((resolve) => {
        next.port1.onmessage = resolve;
        next.port2.postMessage(null);
      });
      press('PageUp');
    });
    await page.getByTestId('jump-latest').waitFor();
    await page.keyboard.press('Alt+End');
    await page.getByTestId('jump-latest').waitFor({ state: 'detached' });
  }
});

test('a long session opens at once; its map is of the newest part and says so', async (t) => {
  const page = await browser.scene(t, 'replay=long');
  await page.locator('[data-session=s-huge]').click();
  await page.locator('[data-item-id="100000.0"]').waitFor();
  await page.getByTestId('map-mark').first().waitFor();
  await page.locator('[data-testid=map] .unmapped').waitFor();
  assert.ok((await page.getByTestId('map-mark').count()) <= 240);
});

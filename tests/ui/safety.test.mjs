// Can anything that an agent says act in the page, load something, or lead the page away?

import assert from 'node:assert/strict';
import test, { after } from 'node:test';
import { openBrowser, transcript } from './page.mjs';

const browser = await openBrowser({ after });

test('hostile words stay words', async (t) => {
  const page = await browser.scene(t, 'replay=hostile');
  const asked = [];
  page.on('request', (request) => asked.push(request.url()));
  await page.locator('[data-session=s-hostile]').click();
  const folded = page.locator('[data-testid=item] button[aria-expanded=false]');
  await page.locator('[data-kind=unknown]').waitFor();
  while ((await folded.count()) > 0) await folded.first().click();
  await transcript(page);
  assert.equal(await page.evaluate(() => window.pwned), undefined);
  const risky = 'script:not([src]), iframe, object, embed, form, svg [onload], [onerror], [onclick], img, style';
  assert.equal(await page.locator(`[data-testid=transcript] :is(${risky})`).count(), 0);
  const origin = new URL(page.url()).origin;
  assert.deepEqual(
    asked.filter((url) => !url.startsWith(origin) && !url.startsWith('data:')),
    [],
  );
});

test('links go to the host and nowhere else', async (t) => {
  const page = await browser.scene(t, 'replay=hostile');
  await page.locator('[data-session=s-hostile]').click();
  const before = page.url();
  const link = page.getByRole('link', { name: 'a fine link' });
  await link.click();
  await link.click({ button: 'middle' });
  await link.click({ modifiers: ['Control'] });
  assert.equal(page.url(), before);
  assert.equal(page.context().pages().length, 1);
  assert.deepEqual(await page.evaluate(() => window.replayed.opened), [
    'https://example.org/page',
    'https://example.org/page',
  ]);
  assert.equal(await page.getByRole('link', { name: /a script|data|file|Tab/ }).count(), 0);
});

test('the policy would stop a script that got through', async (t) => {
  const page = await browser.scene(t, 'replay=demo');
  // The refusal is what this test is about; it is no complaint about the page.
  page.removeAllListeners('console');
  const ran = await page.evaluate(() => {
    const script = document.createElement('script');
    script.textContent = 'window.pwned = true';
    document.body.append(script);
    return window.pwned;
  });
  assert.equal(ran, undefined);
});

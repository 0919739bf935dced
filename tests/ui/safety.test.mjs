// Can anything that an agent says act in the page, load something, or lead the page away?

import assert from 'node:assert/strict';
import test, { after } from 'node:test';
import { openBrowser, settled, transcript, violations } from './page.mjs';

const browser = await openBrowser({ after });

test('hostile words stay words', async (t) => {
  const page = await browser.scene(t, 'replay=hostile');
  const asked = [];
  page.on('request', (request) => asked.push(request.url()));
  await page.locator('[data-session=s-hostile]').click();
  await settled(page);
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

test('a link shows where it leads before it opens, and goes to the host alone', async (t) => {
  const page = await browser.scene(t, 'replay=hostile');
  await page.locator('[data-session=s-hostile]').click();
  await settled(page);
  const before = page.url();
  const link = page.getByRole('link', { name: 'a fine link' });
  const question = page.getByTestId('link-target');
  const opened = () => page.evaluate(() => window.replayed.opened);

  await link.click();
  await question.getByText('https://example.org/page', { exact: true }).waitFor();
  await question.getByText('a fine link').waitFor();
  assert.deepEqual(await violations(page), []);
  assert.deepEqual(await opened(), []);
  await page.keyboard.press('Escape');
  await question.waitFor({ state: 'detached' });
  await link.click({ button: 'middle' });
  assert.equal(await question.count(), 0);

  await link.press('Enter');
  await question.getByRole('button', { name: 'Open', exact: true }).click();
  await page.waitForFunction(() => window.replayed.opened.length === 1);
  await link.click({ modifiers: ['Control'] });
  await question.getByRole('button', { name: 'Always for this site' }).click();
  await page.waitForFunction(() => window.replayed.opened.length === 2);
  await link.click();
  await page.waitForFunction(() => window.replayed.opened.length === 3);

  assert.deepEqual([...new Set(await opened())], ['https://example.org/page']);
  assert.equal(page.url(), before);
  assert.equal(page.context().pages().length, 1);
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

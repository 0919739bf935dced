// Are words found in the whole of a session, though the page holds a part of it; and can one go from one to the next?

import assert from 'node:assert/strict';
import test, { after } from 'node:test';
import { openBrowser, picture, violations } from './page.mjs';

const browser = await openBrowser({ after });

async function find(page, words) {
  await page.keyboard.press('Control+f');
  await page.getByTestId('find-input').waitFor();
  await page.keyboard.type(words);
}
const count = (page, words) => page.getByTestId('find-count').getByText(words, { exact: true }).waitFor();
/** What is marked on the screen, in the row that was gone to and in others. */
const marked = (page) =>
  page.evaluate(() =>
    Object.fromEntries(
      ['found', 'found-here'].map((name) => [name, [...(CSS.highlights.get(name) ?? [])].map((range) => `${range}`)]),
    ),
  );

test('a place that the page does not hold is found and gone to', async (t) => {
  const page = await browser.scene(t, 'replay=long');
  await page.locator('[data-session=s-huge]').click();
  await page.locator('[data-item-id="100000.0"]').waitFor();
  await find(page, 'QUESTION 7000');
  await count(page, '3 of 3');
  await page.locator('[data-row="70005"]').waitFor();
  await page.keyboard.press('Enter');
  await page.keyboard.press('Enter');
  await count(page, '1 of 3');
  await page.locator('[data-row="7000"]').getByText('Question 7000').waitFor();
});

test('next and previous go round, words are highlighted, and what is folded unfolds', async (t) => {
  const page = await browser.scene(t, 'replay=states');
  await page.locator('[data-session=s-ask]').click();
  await page.getByTestId('permission-allow').waitFor();
  await find(page, 'readme');
  await page
    .getByTestId('find-count')
    .getByText(/^\d of \d$/)
    .waitFor();
  const words = (await page.getByTestId('find-count').textContent()) ?? '';
  const total = Number(words.split(' ')[2]);
  assert.ok(total >= 4, words);
  assert.equal(words, `${total} of ${total}`, 'it begins at the newest');
  await page.keyboard.press('Enter');
  await count(page, `${total - 1} of ${total}`);
  await page.keyboard.press('Shift+Enter');
  await page.keyboard.press('Shift+Enter');
  await count(page, `1 of ${total}`);
  await page.locator('[data-kind=thought] [aria-expanded=true]').waitFor();
  await page.waitForFunction(() => (CSS.highlights.get('found-here')?.size ?? 0) > 0);
  const there = await marked(page);
  assert.ok(
    [...there.found, ...there['found-here']].every((text) => text.toLowerCase() === 'readme'),
    'only the words',
  );
  await page.keyboard.press('Escape');
  await page.getByTestId('find').waitFor({ state: 'detached' });
  assert.deepEqual(await marked(page), { found: [], 'found-here': [] });
});

test('words over the border of two colours are marked; words that are nowhere say so', async (t) => {
  const page = await browser.scene(t, 'replay=states');
  await page.locator('[data-session=s-ask]').click();
  await page.getByTestId('permission-allow').waitFor();
  await find(page, 'unresolved import `oars`');
  await count(page, '1 of 1');
  await page.waitForFunction(() => (CSS.highlights.get('found-here')?.size ?? 0) > 0);
  await page.keyboard.press('Control+a');
  await page.keyboard.type('nowhere at all');
  await count(page, 'Nothing found');
});

test('what is said while a search is open is found too', async (t) => {
  const page = await browser.scene(t, 'replay=demo&speed=4');
  await page.getByTestId('composer-input').fill('Look for lanterns');
  await page.keyboard.press('Enter');
  await page.getByTestId('permission-allow').waitFor();
  await find(page, 'I wrote the summary');
  await count(page, 'Nothing found');
  await page.getByTestId('permission-allow').click();
  await page.getByTestId('turn-end').waitFor();
  await count(page, '0 of 1');
});

for (const colorScheme of ['light', 'dark'])
  test(`find is accessible in ${colorScheme}`, async (t) => {
    const page = await browser.scene(t, 'replay=states', { colorScheme, reducedMotion: 'reduce' });
    await page.locator('[data-session=s-ask]').click();
    await page.getByTestId('permission-allow').waitFor();
    await find(page, 'cargo');
    await page.waitForFunction(() => (CSS.highlights.get('found-here')?.size ?? 0) > 0);
    await picture(page, `find-${colorScheme}`);
    assert.deepEqual(await violations(page), []);
  });

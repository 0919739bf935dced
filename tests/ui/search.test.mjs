// Is everything found that was ever said, by keys alone, and does a hit open its session where it stands?

import assert from 'node:assert/strict';
import test, { after } from 'node:test';
import { counted, openBrowser } from './page.mjs';

const browser = await openBrowser({ after });

async function search(t, words, query = 'replay=states') {
  const page = await browser.scene(t, query);
  await page.keyboard.press('Control+Shift+f');
  await page.getByTestId('search-input').fill(words);
  return page;
}

const marks = (page) => page.locator('[data-testid=search-hit] mark').allTextContents();

test('words, beginnings and phrases are found in all folders and marked', async (t) => {
  const page = await search(t, 'renam');
  await page.getByTestId('search-hit').first().waitFor();
  assert.ok((await marks(page)).every((mark) => /^renam/i.test(mark)));
  await page.locator('[data-session=x-tides]').first().waitFor();
  await page.getByTestId('search-input').fill('"tide table"');
  await counted(page.getByTestId('search-session'), 1);
  assert.deepEqual(await marks(page), ['tide table']);
  await page.getByTestId('search-input').fill('"table tide"');
  await page.getByTestId('search-none').waitFor();
});

test('filters narrow it, and are taken away when nothing is left', async (t) => {
  const page = await search(t, 'the');
  await page.getByTestId('search-hit').first().waitFor();
  await page.getByTestId('search-kind').click();
  await page.keyboard.press('Escape');
  await page.getByRole('option').first().waitFor({ state: 'detached' });
  await page.keyboard.press('Control+k');
  await page.keyboard.press('Escape');
  await page.getByTestId('palette').waitFor({ state: 'detached' });
  assert.equal(await page.getByTestId('search').count(), 1, 'Escape closed what lay over the place, and no more');
  await page.getByTestId('search-kind').click();
  await page.getByRole('option', { name: 'Thoughts' }).click();
  await page.waitForFunction(() =>
    [...document.querySelectorAll('[data-testid=search-hit]')].every((hit) => hit.dataset.kind === 'thought'),
  );
  await page.getByTestId('search-provider').click();
  await page.getByRole('option', { name: 'Gemini CLI' }).click();
  await page.getByTestId('search-none').waitFor();
  await page.getByRole('button', { name: 'Search without filters' }).click();
  await page.locator('[data-testid=search-hit][data-kind=prompt]').first().waitFor();
});

test('arrows go to a hit, Enter opens its session there, and back shows the hits as they were', async (t) => {
  const page = await search(t, '"Run the tests after"');
  const hit = page.getByTestId('search-hit').first();
  await hit.waitFor();
  const item = await hit.getAttribute('data-item');
  await page.keyboard.press('ArrowDown');
  await page.waitForFunction(() => document.activeElement?.getAttribute('data-testid') === 'search-hit');
  await page.keyboard.press('ArrowUp');
  await page.waitForFunction(() => document.activeElement?.getAttribute('data-testid') === 'search-input');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.getByTestId('search').waitFor({ state: 'detached' });
  const row = page.locator(`[data-testid=item][data-item-id="${item}"]`);
  await row.waitFor();
  await page.waitForFunction((id) => {
    const box = document.querySelector(`[data-testid=item][data-item-id="${id}"]`)?.getBoundingClientRect();
    return box && box.top < innerHeight && box.bottom > 0;
  }, item);
  await page.waitForFunction(() => (CSS.highlights.get('found-here')?.size ?? 0) > 0);
  await page.keyboard.press('Control+[');
  await page.getByTestId('search-hit').first().waitFor();
  assert.equal(await page.getByTestId('search-input').inputValue(), '"Run the tests after"');
});

test('a hit of another folder opens the window of that folder, which finds there what to show', async (t) => {
  const page = await search(t, '"tide table"');
  await page.getByTestId('search-hit').first().click();
  await page.waitForFunction(() => window.replayed.folders.includes('~/src/tides'));
  const target = await page.evaluate(() => JSON.parse(localStorage.getItem('outrigger.target.~/src/tides')));
  assert.deepEqual([target.session, target.item], ['x-tides', '0.0']);
  // What another window wants to have shown here is shown, and once.
  await page.evaluate(() => {
    const wanted = { session: 's-parent', item: '0.0', words: 'parser' };
    localStorage.setItem('outrigger.target.~/src/oars', JSON.stringify(wanted));
    dispatchEvent(new StorageEvent('storage'));
  });
  await page.locator('[data-session=s-parent][aria-current=true]').waitFor();
  assert.equal(await page.evaluate(() => localStorage.getItem('outrigger.target.~/src/oars')), null);
});

test('before anything is typed it says what can be found; a search that led somewhere is offered again', async (t) => {
  const page = await search(t, '');
  await page.getByTestId('search-empty').getByText('the last word may be a beginning').waitFor();
  await page.getByTestId('search-input').fill('lexer');
  await page.getByTestId('search-hit').first().click();
  await page.keyboard.press('Control+Shift+f');
  await page.waitForFunction(() => document.activeElement?.getAttribute('data-testid') === 'search-input');
  await page.keyboard.press('Escape');
  await page.getByTestId('search-empty').waitFor();
  await page.getByRole('button', { name: 'lexer', exact: true }).click();
  await page.getByTestId('search-hit').first().waitFor();
});

test('an index that is being built and one that cannot be used are told', async (t) => {
  const building = await search(t, 'rename', 'replay=states&archive=building');
  await building.getByTestId('search-building').getByText('214 sessions').waitFor();
  await building.getByTestId('search-hit').first().waitFor();
  const broken = await search(t, 'rename', 'replay=states&archive=broken');
  await broken.getByTestId('search-problem').getByText('permission denied').waitFor();
  await broken.getByTestId('search-problem').getByRole('button', { name: 'Try again' }).click();
  await broken.getByTestId('search-problem').waitFor();
});
